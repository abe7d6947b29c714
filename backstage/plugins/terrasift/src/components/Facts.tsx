import { ReactNode } from 'react';
import styles from './terrasift.module.css';

/** Names and values; what has no value is left out. */
export function Facts(props: { facts: [string, ReactNode][] }) {
  return (
    <dl className={styles.facts}>
      {props.facts
        .filter(([, value]) => value !== undefined && value !== '')
        .map(([name, value]) => (
          <div key={name} style={{ display: 'contents' }}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}
