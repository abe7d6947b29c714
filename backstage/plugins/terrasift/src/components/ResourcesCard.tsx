import {
  Cell,
  CellText,
  ColumnConfig,
  SearchField,
  Select,
  Table,
  Text,
  useTable,
} from '@backstage/ui';
import { useApi } from '@backstage/frontend-plugin-api';
import { EntityRefLink } from '@backstage/plugin-catalog-react';
import { TerrasiftSchema } from '@terrasift/backstage-plugin-terrasift-common';
import { useMemo } from 'react';
import { TerrasiftApi, terrasiftApiRef } from '../api/TerrasiftApi';
import { useAnswer } from '../hooks/useAnswer';
import { useTerraformEntity } from '../hooks/useTerraformEntity';
import { AnswerCard } from './AnswerCard';
import { Redacted } from './Redacted';
import styles from './terrasift.module.css';

/** Pages of Terrasift's longest length: beyond this many resources a table is not what finds one. */
const PAGES_MAX = 5;
const PAGE = 1000;
const ALL = 'all';
const ROOT = '(root module)';

type Line = TerrasiftSchema<'ResourceLine'> & { id: string };
interface Filter {
  type?: string;
  module?: string;
}

const COLUMNS: ColumnConfig<Line>[] = [
  {
    id: 'address',
    label: 'Address',
    isRowHeader: true,
    isSortable: true,
    cell: line => (
      <Cell>
        <EntityRefLink entityRef={line.entity_ref} disableTooltip>
          <Redacted text={line.address ?? line.entity_ref} />
        </EntityRefLink>
      </Cell>
    ),
  },
  {
    id: 'type',
    label: 'Type',
    isSortable: true,
    cell: line => <CellText title={line.type ?? 'unknown'} />,
  },
  {
    id: 'module',
    label: 'Module',
    isSortable: true,
    cell: line => (
      <Cell>
        {line.module ? <Redacted text={line.module} /> : 'root module'}
      </Cell>
    ),
  },
  {
    id: 'owner',
    label: 'Owner',
    cell: line => (
      <Cell>
        {line.owner ? (
          <EntityRefLink entityRef={line.owner} disableTooltip />
        ) : (
          'nobody'
        )}
      </Cell>
    ),
  },
];

/**
 * The resources of the workspace that the catalog lists. What was redacted in an address is shown as that, with its
 * category.
 *
 * @public
 */
export function ResourcesCard() {
  const api = useApi(terrasiftApiRef);
  const { tenant, workspace } = useTerraformEntity();
  const answer = useAnswer(
    () => listed(api, tenant, workspace),
    [api, tenant, workspace],
  );
  return (
    <AnswerCard
      title="Resources"
      answer={answer}
      empty={({ lines }) =>
        lines.length
          ? undefined
          : 'The catalog lists no resource of this workspace: its state has none, or none of a type that is listed.'
      }
    >
      {({ lines, more }) => <Resources lines={lines} more={more} />}
    </AnswerCard>
  );
}

async function listed(api: TerrasiftApi, tenant: string, workspace: string) {
  const lines: Line[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const answer = await api.resources(tenant, {
      workspace,
      cursor,
      limit: PAGE,
    });
    lines.push(...answer.resources.map(it => ({ ...it, id: it.entity_ref })));
    cursor = answer.next_cursor ?? undefined;
    if (!cursor) break;
  }
  return { lines, more: cursor !== undefined };
}

function Resources(props: { lines: Line[]; more: boolean }) {
  const { lines } = props;
  const types = useMemo(() => distinct(lines, typeOf), [lines]);
  const modules = useMemo(() => distinct(lines, moduleOf), [lines]);
  const { tableProps, search, filter } = useTable<Line, Filter>({
    mode: 'complete',
    data: lines,
    initialSort: { column: 'address', direction: 'ascending' },
    sortFn: (data, { column, direction }) => {
      const sign = direction === 'descending' ? -1 : 1;
      const key = column as 'address' | 'type' | 'module';
      return [...data].sort(
        (one, other) => sign * (one[key] ?? '').localeCompare(other[key] ?? ''),
      );
    },
    searchFn: (data, text) => {
      const wanted = text.trim().toLowerCase();
      return data.filter(line =>
        [line.address, line.type, line.owner, line.provider].some(it =>
          it?.toLowerCase().includes(wanted),
        ),
      );
    },
    filterFn: (data, { type, module }) =>
      data.filter(
        line =>
          (!type || typeOf(line) === type) &&
          (!module || moduleOf(line) === module),
      ),
    paginationOptions: { pageSize: 20, pageSizeOptions: [20, 50, 100] },
  });
  const choose = (change: Filter) =>
    filter.onChange({ ...filter.value, ...change });
  return (
    <>
      <div className={styles.filters} role="search">
        <SearchField
          aria-label="Search the resources"
          placeholder="Address, type or owner"
          {...search}
        />
        <Choice
          label="Type"
          all="All types"
          options={types}
          onChoose={type => choose({ type })}
        />
        <Choice
          label="Module"
          all="All modules"
          options={modules}
          onChoose={module => choose({ module })}
        />
      </div>
      {props.more && (
        <Text>The first {lines.length}; there are more in the catalog.</Text>
      )}
      <Table
        columnConfig={COLUMNS}
        {...tableProps}
        className={styles.scrolls}
        emptyState={<Text>No resource is like that.</Text>}
      />
    </>
  );
}

function Choice(props: {
  label: string;
  all: string;
  options: string[];
  onChoose(value: string | undefined): void;
}) {
  return (
    <Select
      label={props.label}
      size="small"
      defaultValue={ALL}
      options={[
        { value: ALL, label: props.all },
        ...props.options.map(value => ({ value, label: value })),
      ]}
      onChange={value => props.onChoose(value === ALL ? undefined : `${value}`)}
    />
  );
}

function distinct(lines: Line[], of: (line: Line) => string): string[] {
  return [...new Set(lines.map(of))].sort();
}

function typeOf(line: Line): string {
  return line.type ?? 'unknown';
}

function moduleOf(line: Line): string {
  return line.module ?? ROOT;
}
