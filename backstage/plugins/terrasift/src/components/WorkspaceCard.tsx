import { Badge, Flex, Link } from '@backstage/ui';
import { RiLockLine, RiLockUnlockLine } from '@remixicon/react';
import { useApi } from '@backstage/frontend-plugin-api';
import {
  TERRAFORM_LAST_UPDATED_ANNOTATION,
  TerraformWorkspaceEntityV1alpha1,
} from '@terrasift/backstage-plugin-terrasift-common';
import { terrasiftApiRef } from '../api/TerrasiftApi';
import { useAnswer } from '../hooks/useAnswer';
import { useTerraformEntity, webAddress } from '../hooks/useTerraformEntity';
import { AnswerCard } from './AnswerCard';
import { Facts } from './Facts';
import { Moment } from './Moment';
import { StaleAlert } from './StaleAlert';

/**
 * The workspace itself: where it is, and what its state is.
 *
 * @public
 */
export function WorkspaceCard() {
  const api = useApi(terrasiftApiRef);
  const { entity, tenant, workspace, organization, url } = useTerraformEntity();
  const { spec, metadata } = entity as TerraformWorkspaceEntityV1alpha1;
  const answer = useAnswer(
    () => api.workspace(tenant, workspace),
    [api, tenant, workspace],
  );
  const updated = metadata.annotations?.[TERRAFORM_LAST_UPDATED_ANNOTATION];
  const name = metadata.title ?? metadata.name;
  return (
    <AnswerCard title="Terraform workspace" answer={answer}>
      {synced => (
        <>
          <StaleAlert workspace={synced} />
          <Facts
            facts={[
              ['Organization', organization],
              [
                'Workspace',
                url ? (
                  <Link href={url} target="_blank">
                    {name}
                  </Link>
                ) : (
                  name
                ),
              ],
              ['Project', spec.project],
              [
                'Terraform version',
                versions(spec.terraformVersion, spec.stateTerraformVersion),
              ],
              ['State version', synced.state_version ?? spec.stateVersion],
              ['State serial', synced.serial ?? spec.stateSerial],
              ['Last updated', updated && <Moment at={updated} />],
              ['Resources', synced.resource_count],
              ['Lock', <Lock key="lock" locked={spec.locked} />],
              [
                'Apply',
                spec.autoApply === undefined
                  ? undefined
                  : (spec.autoApply && 'automatic') || 'by hand',
              ],
              ['Version control', <Vcs key="vcs" vcs={spec.vcs} />],
            ]}
          />
        </>
      )}
    </AnswerCard>
  );
}

function versions(set?: string, wrote?: string): string | undefined {
  if (!set || !wrote || set === wrote) return set ?? wrote;
  return `${set} (state written by ${wrote})`;
}

function Lock(props: { locked?: boolean }) {
  if (props.locked === undefined) return <>unknown</>;
  return (
    <Flex>
      <Badge
        size="small"
        icon={
          props.locked ? (
            <RiLockLine aria-hidden />
          ) : (
            <RiLockUnlockLine aria-hidden />
          )
        }
      >
        {props.locked ? 'locked' : 'unlocked'}
      </Badge>
    </Flex>
  );
}

function Vcs(props: { vcs: TerraformWorkspaceEntityV1alpha1['spec']['vcs'] }) {
  const { vcs } = props;
  if (!vcs?.repository) return <>not connected</>;
  const text = vcs.branch ? `${vcs.repository}, ${vcs.branch}` : vcs.repository;
  const url = webAddress(vcs.url);
  return url ? (
    <Link href={url} target="_blank">
      {text}
    </Link>
  ) : (
    <>{text}</>
  );
}
