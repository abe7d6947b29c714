import {
  Cell,
  CellText,
  ColumnConfig,
  Table,
  Text,
  useTable,
} from '@backstage/ui';
import { useApi } from '@backstage/frontend-plugin-api';
import { TerrasiftSchema } from '@terrasift/backstage-plugin-terrasift-common';
import { terrasiftApiRef } from '../../api/TerrasiftApi';
import { useAnswer } from '../../hooks/useAnswer';
import { AnswerCard } from '../AnswerCard';
import { bytes } from '../SyncCard';
import styles from '../terrasift.module.css';
import { RateBudget } from './RateBudget';

type Usage = TerrasiftSchema<'Usage'>;
type Day = TerrasiftSchema<'UsageDay'> & { id: string };

const COLUMNS: ColumnConfig<Day>[] = [
  {
    id: 'day',
    label: 'Day',
    isRowHeader: true,
    cell: day => <CellText title={day.id} />,
  },
  { id: 'states', label: 'States', cell: day => <Cell>{day.states}</Cell> },
  {
    id: 'bytes',
    label: 'Size',
    cell: day => <CellText title={bytes(day.bytes)} />,
  },
  {
    id: 'redactions',
    label: 'Redactions',
    cell: day => <Cell>{day.pii + day.credential + day.infrastructure}</Cell>,
  },
];

/** How much was done for a tenant in the last thirty days, what it costs where prices are configured, and what of its rate budget it uses. */
export function UsageCard(props: { tenant: string }) {
  const api = useApi(terrasiftApiRef);
  const { tenant } = props;
  const answer = useAnswer(() => api.usage(tenant), [api, tenant]);
  return (
    <AnswerCard title="Usage in the last 30 days" answer={answer}>
      {usage => (
        <>
          <Days usage={usage} />
          {/* A server of before this was counted tells none. */}
          {usage.budget && <RateBudget budget={usage.budget} />}
        </>
      )}
    </AnswerCard>
  );
}

function Days(props: { usage: Usage }) {
  const { usage } = props;
  const days = usage.days
    .map(day => ({ ...day, id: day.day.slice(0, 10) }))
    .reverse();
  const { tableProps } = useTable({
    mode: 'complete',
    data: days,
    paginationOptions: { pageSize: 5, showPageSizeOptions: false },
  });
  const sum = (of: (day: Day) => number) =>
    days.reduce((all, day) => all + of(day), 0);
  return (
    <>
      <ul className={styles.numbers} aria-label="Usage in sum">
        <Sum name="workspaces" value={usage.workspaces} />
        <Sum name="entities" value={usage.entities} />
        <Sum name="states synced" value={sum(day => day.states)} />
        <Sum name="of state read" value={bytes(sum(day => day.bytes))} />
        {usage.cost && (
          <Sum
            name="cost"
            value={`${usage.cost.total.toFixed(2)} ${usage.cost.currency}`}
          />
        )}
      </ul>
      <Table
        columnConfig={COLUMNS}
        {...tableProps}
        className={styles.scrolls}
        emptyState={<Text>Nothing was synced in this time.</Text>}
      />
    </>
  );
}

function Sum(props: { name: string; value: number | string }) {
  return (
    <li>
      <Text as="p" variant="title-small">
        {props.value}
      </Text>
      <Text as="p">{props.name}</Text>
    </li>
  );
}
