import { Flex, Grid } from '@backstage/ui';
import { ResourcesCard } from './ResourcesCard';
import { RunsCard } from './RunsCard';
import { SanitizationCard } from './SanitizationCard';
import { SyncCard } from './SyncCard';

/**
 * Everything about a workspace on one page: its resources, runs, what was redacted, and how its syncing stands.
 *
 * @public
 */
export function TerraformContent() {
  return (
    <Flex direction="column" gap="4">
      <ResourcesCard />
      <Grid.Root columns={{ initial: '1', md: '2' }} gap="4">
        <SanitizationCard />
        <Flex direction="column" gap="4">
          <SyncCard />
          <RunsCard />
        </Flex>
      </Grid.Root>
    </Flex>
  );
}
