import { Link, Text } from '@backstage/ui';
import { useApi } from '@backstage/frontend-plugin-api';
import { terrasiftApiRef } from '../api/TerrasiftApi';
import { useAnswer } from '../hooks/useAnswer';
import { useTerraformEntity } from '../hooks/useTerraformEntity';
import { AnswerCard } from './AnswerCard';
import { Moment } from './Moment';
import styles from './terrasift.module.css';

const SHOWN = 10;

/**
 * The runs that led to what the catalog shows, newest first.
 *
 * @public
 */
export function RunsCard() {
  const api = useApi(terrasiftApiRef);
  const { tenant, workspace, url } = useTerraformEntity();
  const answer = useAnswer(
    () => api.runs(tenant, { workspace, limit: SHOWN }),
    [api, tenant, workspace],
  );
  return (
    <AnswerCard
      title="Runs"
      answer={answer}
      empty={({ runs }) =>
        runs.length ? undefined : 'No run has led to a new state yet.'
      }
    >
      {({ runs, next_cursor: more }) => (
        <>
          <ol className={styles.timeline} aria-label="Runs, newest first">
            {runs.map(run => (
              <li key={run.run}>
                <Text as="p" weight="bold">
                  {url ? (
                    <Link href={`${url}/runs/${run.run}`} target="_blank">
                      {run.run}
                    </Link>
                  ) : (
                    run.run
                  )}
                </Text>
                <Text as="p">
                  serial {run.serial}
                  {run.state_version && `, ${run.state_version}`}, in the
                  catalog <Moment at={run.synced_at} />
                </Text>
              </li>
            ))}
          </ol>
          {more && <Text>The last {SHOWN}; there are more.</Text>}
        </>
      )}
    </AnswerCard>
  );
}
