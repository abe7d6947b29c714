import { Badge, VisuallyHidden } from '@backstage/ui';
import { RiEyeOffLine } from '@remixicon/react';
import { Fragment } from 'react';
import styles from './terrasift.module.css';

/** As the sanitizer writes them: category, and an ordinal that tells siblings apart. */
const MARKER =
  /\[(REDACTED|HASHED):(pii|credential|infrastructure)(?::[0-9a-f]{16})?\](#\d+)?/g;

const CATEGORIES: Record<string, string> = {
  pii: 'personal data',
  credential: 'credential',
  infrastructure: 'infrastructure',
};

/** A category in words. */
export function categoryName(category: string): string {
  return CATEGORIES[category] ?? category;
}

/** A text in which the sanitizer's markers are shown as what they are: something that was taken out, of a category. */
export function Redacted(props: { text: string }) {
  const parts: JSX.Element[] = [];
  let end = 0;
  for (const found of props.text.matchAll(MARKER)) {
    const [marker, how, category, ordinal] = found;
    parts.push(
      <Fragment key={found.index}>
        {props.text.slice(end, found.index)}
        <span className={styles.redacted}>
          <Badge size="small" icon={<RiEyeOffLine aria-hidden />}>
            <VisuallyHidden>
              {how === 'HASHED' ? 'hashed: ' : 'redacted: '}
            </VisuallyHidden>
            {categoryName(category)}
            {ordinal && ` ${ordinal}`}
          </Badge>
        </span>
      </Fragment>,
    );
    end = found.index + marker.length;
  }
  return (
    <span className={styles.code}>
      {parts}
      {props.text.slice(end)}
    </span>
  );
}
