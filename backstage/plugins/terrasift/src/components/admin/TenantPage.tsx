import {
  Alert,
  Container,
  Flex,
  Grid,
  Select,
  Skeleton,
  Text,
  VisuallyHidden,
} from '@backstage/ui';
import { useApi } from '@backstage/frontend-plugin-api';
import {
  terrasiftDeadLettersReadPermission,
  terrasiftDeadLettersWritePermission,
  TerrasiftTenant,
  terrasiftUsageReadPermission,
} from '@terrasift/backstage-plugin-terrasift-common';
import { useState } from 'react';
import { terrasiftApiRef } from '../../api/TerrasiftApi';
import { useAnswer } from '../../hooks/useAnswer';
import { Failure } from '../AnswerCard';
import { DeadLettersCard } from './DeadLettersCard';
import { OnboardingCard } from './OnboardingCard';
import { UsageCard } from './UsageCard';

/**
 * The page of who operates a tenant: how far its onboarding is, what is done for it, and what was given up.
 *
 * @public
 */
export function TenantPage() {
  const api = useApi(terrasiftApiRef);
  const {
    data: tenants,
    error,
    reload,
  } = useAnswer(() => api.tenants(), [api]);
  return (
    <Container mt="4">
      {tenants && <Tenants tenants={tenants} />}
      {!tenants && error && <Failure error={error} onRetry={reload} />}
      {!tenants && !error && (
        <div role="status">
          <VisuallyHidden>Tenants: loading</VisuallyHidden>
          <Skeleton width="40%" height={24} />
        </div>
      )}
    </Container>
  );
}

function Tenants(props: { tenants: TerrasiftTenant[] }) {
  const { tenants } = props;
  const [chosen, setChosen] = useState<string>();
  const tenant = tenants.find(it => it.id === chosen) ?? tenants[0];
  if (!tenant) {
    return (
      <Alert
        role="status"
        status="info"
        icon
        title="No tenant is granted to you"
        description="Whoever runs Backstage grants tenants to users and groups, in terrasift.tenants."
      />
    );
  }
  return (
    <Flex direction="column" gap="4">
      <Select
        label="Tenant"
        value={tenant.id}
        onChange={value => setChosen(`${value}`)}
        options={tenants.map(({ id }) => ({ value: id, label: id }))}
      />
      <Tenant key={tenant.id} tenant={tenant} />
    </Flex>
  );
}

function Tenant(props: { tenant: TerrasiftTenant }) {
  const { id, permissions } = props.tenant;
  const may = (permission: { name: string }) =>
    permissions.includes(permission.name);
  const letters = may(terrasiftDeadLettersReadPermission);
  const usage = may(terrasiftUsageReadPermission);
  return (
    <>
      <Grid.Root columns={{ initial: '1', md: '2' }} gap="4">
        <OnboardingCard tenant={id} />
        {usage && <UsageCard tenant={id} />}
      </Grid.Root>
      {letters && (
        <DeadLettersCard
          tenant={id}
          decides={may(terrasiftDeadLettersWritePermission)}
        />
      )}
      {!letters && !usage && (
        <Text>
          You see this tenant. Usage and dead letters are for who operates it.
        </Text>
      )}
    </>
  );
}
