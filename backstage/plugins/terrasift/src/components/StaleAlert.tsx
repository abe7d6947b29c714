import { Alert } from '@backstage/ui';
import { TerrasiftSchema } from '@terrasift/backstage-plugin-terrasift-common';
import { Moment } from './Moment';

/** Says that upstream cannot be read, if so; the catalog keeps what it knew. */
export function StaleAlert(props: { workspace: TerrasiftSchema<'Workspace'> }) {
  const { stale, stale_reason: reason, synced_at: at } = props.workspace;
  if (!stale) return null;
  return (
    <Alert
      role="status"
      status="warning"
      icon
      title="Stale: Terraform Cloud cannot be read"
      description={
        <>
          {reason && `${reason}. `}
          {at ? (
            <>
              What is shown was right <Moment at={at} />.
            </>
          ) : (
            'It was never synced.'
          )}
        </>
      }
    />
  );
}
