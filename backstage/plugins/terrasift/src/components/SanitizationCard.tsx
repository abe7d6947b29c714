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
import { terrasiftApiRef } from '../api/TerrasiftApi';
import { useAnswer } from '../hooks/useAnswer';
import { useTerraformEntity } from '../hooks/useTerraformEntity';
import { AnswerCard } from './AnswerCard';
import { Moment } from './Moment';
import { categoryName } from './Redacted';
import styles from './terrasift.module.css';

type Finding = TerrasiftSchema<'Finding'>;
type Line = Finding & { id: string };

const ACTIONS: Record<string, string> = {
  redact: 'redacted',
  hash: 'hashed',
  allow: 'allowed',
};

const COLUMNS: ColumnConfig<Line>[] = [
  {
    id: 'rule',
    label: 'Rule',
    isRowHeader: true,
    cell: line => <CellText title={line.rule} />,
  },
  {
    id: 'category',
    label: 'Category',
    cell: line => <CellText title={categoryName(line.category)} />,
  },
  {
    id: 'action',
    label: 'What was done',
    cell: line => <CellText title={ACTIONS[line.action] ?? line.action} />,
  },
  {
    id: 'count',
    label: 'How often',
    cell: line => <Cell>{line.count}</Cell>,
  },
];

/**
 * What the sanitizer took out of the state that the catalog shows: by category, and which rules fired. Never a value.
 *
 * @public
 */
export function SanitizationCard() {
  const api = useApi(terrasiftApiRef);
  const { tenant, workspace } = useTerraformEntity();
  const answer = useAnswer(
    () => api.audit(tenant, { workspace, limit: 1 }),
    [api, tenant, workspace],
  );
  return (
    <AnswerCard
      title="Sanitization"
      answer={answer}
      empty={({ audit }) =>
        audit.length ? undefined : 'No state was sanitized yet.'
      }
    >
      {({ audit: [latest] }) => <Latest latest={latest} />}
    </AnswerCard>
  );
}

function Latest(props: { latest: TerrasiftSchema<'Sanitization'> }) {
  const { latest } = props;
  const lines = latest.findings
    .map(it => ({ ...it, id: `${it.rule} ${it.action}` }))
    .sort((one, other) => other.count - one.count);
  const { tableProps } = useTable({
    mode: 'complete',
    data: lines,
    paginationOptions: { pageSize: 5, showPageSizeOptions: false },
  });
  return (
    <>
      <ul className={styles.numbers} aria-label="Redactions by category">
        {['credential', 'pii', 'infrastructure'].map(category => (
          <li key={category}>
            <Text as="p" variant="title-small">
              {counted(latest.counts, category)}
            </Text>
            <Text as="p">{categoryName(category)}</Text>
          </li>
        ))}
      </ul>
      <Text>
        Serial {latest.serial} with rule set {latest.rule_set},{' '}
        <Moment at={latest.at} />
        {latest.truncated > 0 &&
          `; ${latest.truncated} more are counted and not listed`}
      </Text>
      {lines.length > 0 && (
        <Table
          columnConfig={COLUMNS}
          {...tableProps}
          className={styles.scrolls}
        />
      )}
    </>
  );
}

function counted(counts: unknown, category: string): number {
  const count = (counts as Record<string, unknown>)[category];
  return typeof count === 'number' ? count : 0;
}
