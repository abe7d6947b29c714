import { Badge, Flex } from '@backstage/ui';
import { useApi } from '@backstage/frontend-plugin-api';
import { terrasiftApiRef } from '../api/TerrasiftApi';
import { useAnswer } from '../hooks/useAnswer';
import { useTerraformEntity } from '../hooks/useTerraformEntity';
import { AnswerCard } from './AnswerCard';
import { Facts } from './Facts';
import { Moment } from './Moment';
import { StaleAlert } from './StaleAlert';

/**
 * How the syncing of the workspace stands, and of the tenant as a whole.
 *
 * @public
 */
export function SyncCard() {
  const api = useApi(terrasiftApiRef);
  const { tenant, workspace } = useTerraformEntity();
  const answer = useAnswer(
    () => Promise.all([api.workspace(tenant, workspace), api.status(tenant)]),
    [api, tenant, workspace],
  );
  return (
    <AnswerCard title="Sync status" answer={answer}>
      {([own, all]) => (
        <>
          <StaleAlert workspace={own} />
          <Facts
            facts={[
              [
                'State',
                <Flex key="state">
                  <Badge size="small">{stateOf(own)}</Badge>
                </Flex>,
              ],
              ['Synced', own.synced_at && <Moment at={own.synced_at} />],
              ['Serial', own.serial ?? undefined],
              ['State size', bytes(own.state_bytes)],
              ['Rule set', own.rule_set ?? undefined],
              [
                'Tenant',
                `${all.workspaces} workspaces, ${all.waiting_workspaces} waiting, ${all.stale_workspaces} stale`,
              ],
              ['Position in the feed', all.head],
            ]}
          />
        </>
      )}
    </AnswerCard>
  );
}

function stateOf(workspace: { stale: boolean; synced_at?: string | null }) {
  if (workspace.stale) return 'stale';
  return workspace.synced_at ? 'in step' : 'waiting for its first sync';
}

/** A size in words. */
export function bytes(count: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let at = 0;
  let left = count;
  while (left >= 1000 && at < units.length - 1) {
    left /= 1000;
    at += 1;
  }
  return `${at ? left.toFixed(1) : left} ${units[at]}`;
}
