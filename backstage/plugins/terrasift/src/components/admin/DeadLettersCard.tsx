import {
  Alert,
  Button,
  Cell,
  CellText,
  ColumnConfig,
  Dialog,
  DialogBody,
  DialogFooter,
  DialogHeader,
  Flex,
  Table,
  Text,
  useTable,
} from '@backstage/ui';
import { useApi } from '@backstage/frontend-plugin-api';
import { TerrasiftSchema } from '@terrasift/backstage-plugin-terrasift-common';
import { useState } from 'react';
import { DeadLetterDecision, terrasiftApiRef } from '../../api/TerrasiftApi';
import { useAnswer } from '../../hooks/useAnswer';
import { AnswerCard, told } from '../AnswerCard';
import { Moment } from '../Moment';
import styles from '../terrasift.module.css';

const SHOWN = 100;

type Letter = TerrasiftSchema<'DeadLetter'>;

interface Outcome {
  status: 'success' | 'danger';
  text: string;
}

/** What was given up and waits for somebody: try again, or let it be. */
export function DeadLettersCard(props: { tenant: string; decides: boolean }) {
  const api = useApi(terrasiftApiRef);
  const { tenant, decides } = props;
  const [outcome, setOutcome] = useState<Outcome>();
  const [busy, setBusy] = useState<number>();
  const [discarding, setDiscarding] = useState<Letter>();
  const answer = useAnswer(
    () => api.deadLetters(tenant, { state: 'open', limit: SHOWN }),
    [api, tenant],
  );
  const decide = async (letter: Letter, decision: DeadLetterDecision) => {
    setBusy(letter.id);
    setDiscarding(undefined);
    try {
      await api.decide(tenant, letter.id, decision);
      const done =
        decision === 'retry' ? 'will be tried again' : 'is discarded';
      setOutcome({ status: 'success', text: `Letter ${letter.id} ${done}.` });
    } catch (error) {
      setOutcome({
        status: 'danger',
        text: `Letter ${letter.id}: ${told(error as Error)}`,
      });
    } finally {
      setBusy(undefined);
      answer.reload();
    }
  };
  return (
    <>
      <div role="status">
        {outcome && <Alert status={outcome.status} icon title={outcome.text} />}
      </div>
      <AnswerCard
        title="Dead letters"
        answer={answer}
        empty={page =>
          page.dead_letters.length ? undefined : 'Nothing was given up.'
        }
      >
        {page => (
          <>
            <Letters
              letters={page.dead_letters}
              busy={busy}
              onRetry={decides ? it => decide(it, 'retry') : undefined}
              onDiscard={decides ? setDiscarding : undefined}
            />
            {page.next_cursor && (
              <Text>The first {SHOWN}; there are more.</Text>
            )}
          </>
        )}
      </AnswerCard>
      <Dialog
        isOpen={discarding !== undefined}
        onOpenChange={open => !open && setDiscarding(undefined)}
      >
        <DialogHeader>Discard letter {discarding?.id}?</DialogHeader>
        <DialogBody>
          <Text>
            Its workspace stays as the catalog shows it until its next change.
            This cannot be undone.
          </Text>
        </DialogBody>
        <DialogFooter>
          <Button variant="secondary" slot="close">
            Keep it
          </Button>
          <Button
            variant="primary"
            destructive
            onPress={() => discarding && decide(discarding, 'discard')}
          >
            Discard
          </Button>
        </DialogFooter>
      </Dialog>
    </>
  );
}

function Letters(props: {
  letters: Letter[];
  busy?: number;
  onRetry?(letter: Letter): void;
  onDiscard?(letter: Letter): void;
}) {
  const { letters, busy, onRetry, onDiscard } = props;
  const { tableProps } = useTable({
    mode: 'complete',
    data: letters,
    paginationOptions: { pageSize: 10, showPageSizeOptions: false },
  });
  const columns: ColumnConfig<Letter>[] = [
    {
      id: 'id',
      label: 'Letter',
      isRowHeader: true,
      cell: letter => <CellText title={`${letter.id}`} />,
    },
    {
      id: 'workspace',
      label: 'Workspace',
      cell: letter => <CellText title={letter.workspace ?? 'none'} />,
    },
    {
      id: 'reason',
      label: 'Why',
      cell: letter => (
        // No CellText: it cuts the detail, and shows it in the secondary colour, too faint in the dark theme.
        <Cell>
          <Text as="p">{letter.reason}</Text>
          <Text as="p">{letter.detail}</Text>
        </Cell>
      ),
    },
    {
      id: 'attempts',
      label: 'Attempts',
      cell: letter => <Cell>{letter.attempts}</Cell>,
    },
    {
      id: 'parked',
      label: 'Since',
      cell: letter => (
        <Cell>
          <Moment at={letter.parked_at} />
        </Cell>
      ),
    },
    {
      id: 'decide',
      label: 'What to do',
      isHidden: !onRetry,
      cell: letter => (
        <Cell>
          <Flex gap="2">
            <Button
              size="small"
              variant="secondary"
              isPending={busy === letter.id}
              aria-label={`Retry letter ${letter.id}`}
              onPress={() => onRetry?.(letter)}
            >
              Retry
            </Button>
            <Button
              size="small"
              variant="tertiary"
              isDisabled={busy === letter.id}
              aria-label={`Discard letter ${letter.id}`}
              onPress={() => onDiscard?.(letter)}
            >
              Discard
            </Button>
          </Flex>
        </Cell>
      ),
    },
  ];
  return (
    <Table columnConfig={columns} {...tableProps} className={styles.scrolls} />
  );
}
