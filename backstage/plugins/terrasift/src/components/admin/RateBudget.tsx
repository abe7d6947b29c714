import { Text } from '@backstage/ui';
import { TerrasiftSchema } from '@terrasift/backstage-plugin-terrasift-common';
import styles from '../terrasift.module.css';

type Budget = TerrasiftSchema<'RateBudget'>;

const SECONDS_PER_HOUR = 3600;

/** So much of the budget of an hour is used, in words that tell little from nothing. */
export function share(requests: number, perHour: number): string {
  const percent = (100 * requests) / perHour;
  if (requests > 0 && percent < 1) {
    return 'less than 1 %';
  }
  return `${Math.round(percent)} %`;
}

/** What of its requests to Terraform Cloud a tenant uses. */
export function RateBudget(props: { budget: Budget }) {
  const { budget } = props;
  const perHour = budget.requests_per_second_max * SECONDS_PER_HOUR;
  const hours = [
    { name: 'this hour so far', requests: budget.this_hour },
    { name: 'last hour', requests: budget.last_hour },
    { name: 'fullest hour of 31 days', requests: budget.fullest_hour },
  ];
  return (
    <div>
      <Text as="p">
        Requests to Terraform Cloud, of at most {perHour.toLocaleString('en')}{' '}
        an hour:
      </Text>
      <ul className={styles.meters} aria-label="Rate budget">
        {hours.map(({ name, requests }) => (
          <li key={name}>
            <meter
              min={0}
              max={perHour}
              high={perHour * 0.8}
              value={requests}
              aria-label={name}
            />
            <Text as="span">
              {name}: {requests.toLocaleString('en')} (
              {share(requests, perHour)})
            </Text>
          </li>
        ))}
      </ul>
    </div>
  );
}
