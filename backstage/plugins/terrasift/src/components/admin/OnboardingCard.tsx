import { RiCheckLine, RiErrorWarningLine, RiTimeLine } from '@remixicon/react';
import { Flex, Text } from '@backstage/ui';
import { useApi } from '@backstage/frontend-plugin-api';
import { TerrasiftSchema } from '@terrasift/backstage-plugin-terrasift-common';
import { terrasiftApiRef } from '../../api/TerrasiftApi';
import { useAnswer } from '../../hooks/useAnswer';
import { AnswerCard } from '../AnswerCard';
import { Facts } from '../Facts';
import { Moment } from '../Moment';
import styles from '../terrasift.module.css';

type Status = TerrasiftSchema<'Status'>;
type Progress = 'done' | 'waiting' | 'attention';

const ICONS = {
  done: RiCheckLine,
  waiting: RiTimeLine,
  attention: RiErrorWarningLine,
};
const WORDS: Record<Progress, string> = {
  done: 'done',
  waiting: 'waiting',
  attention: 'needs attention',
};

/** How far a tenant is on its way into the catalog. */
export function OnboardingCard(props: { tenant: string }) {
  const api = useApi(terrasiftApiRef);
  const { tenant } = props;
  const answer = useAnswer(() => api.status(tenant), [api, tenant]);
  return (
    <AnswerCard title="Onboarding" answer={answer}>
      {status => (
        <>
          <ol className={styles.timeline} aria-label="Steps of the onboarding">
            {stepsOf(status).map(([step, progress, detail]) => (
              <Step
                key={step}
                step={step}
                progress={progress}
                detail={detail}
              />
            ))}
          </ol>
          <Facts
            facts={[
              ['Slug', status.slug],
              [
                'Last synced',
                status.last_synced_at && <Moment at={status.last_synced_at} />,
              ],
              [
                'Longest not looked at',
                status.oldest_synced_at && (
                  <Moment at={status.oldest_synced_at} />
                ),
              ],
            ]}
          />
        </>
      )}
    </AnswerCard>
  );
}

function Step(props: { step: string; progress: Progress; detail: string }) {
  const Icon = ICONS[props.progress];
  return (
    <li>
      <Flex gap="2" align="center">
        <Icon size={18} aria-hidden />
        <Text weight="bold">
          {props.step}: {WORDS[props.progress]}
        </Text>
      </Flex>
      <Text as="p">{props.detail}</Text>
    </li>
  );
}

/** Each step with how far it is, from what Terrasift says about the tenant. */
export function stepsOf(status: Status): [string, Progress, string][] {
  const { workspaces, waiting_workspaces: waiting } = status;
  const stale = status.stale_workspaces;
  const letters = status.open_dead_letters;
  const synced = workspaces > 0 && waiting === 0;
  return [
    ['Connected', 'done', 'Terrasift knows the tenant, and its key is good.'],
    [
      'Workspaces found',
      workspaces > 0 ? 'done' : 'waiting',
      workspaces > 0
        ? `${workspaces} workspaces`
        : 'The first look at Terraform Cloud has found none yet.',
    ],
    [
      'First sync',
      synced ? 'done' : 'waiting',
      synced
        ? 'Each workspace was synced.'
        : `${workspaces - waiting} of ${workspaces} workspaces were synced.`,
    ],
    [
      'In step',
      stale + letters > 0 ? 'attention' : (synced && 'done') || 'waiting',
      `${stale} workspaces are stale, ${letters} dead letters wait for somebody.`,
    ],
  ];
}
