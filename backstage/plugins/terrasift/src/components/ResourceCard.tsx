import { EntityRefLink, useEntity } from '@backstage/plugin-catalog-react';
import {
  TERRAFORM_RESOURCE_ADDRESS_ANNOTATION,
  TERRAFORM_RESOURCE_TYPE_ANNOTATION,
} from '@terrasift/backstage-plugin-terrasift-common';
import { Card, CardBody, CardHeader, Link, Text } from '@backstage/ui';
import { useId } from 'react';
import { useTerraformEntity } from '../hooks/useTerraformEntity';
import { Facts } from './Facts';
import { Redacted } from './Redacted';

/**
 * Where a resource comes from. Everything stands in the entity, so that nothing is asked for.
 *
 * @public
 */
export function ResourceCard() {
  const heading = useId();
  const { entity } = useEntity();
  const { organization, url } = useTerraformEntity();
  const annotations = entity.metadata.annotations ?? {};
  // An address that held something redacted is no annotation; the title has it, with markers.
  const address =
    annotations[TERRAFORM_RESOURCE_ADDRESS_ANNOTATION] ?? entity.metadata.title;
  const dependencies = entity.spec?.dependsOn;
  const workspace = (Array.isArray(dependencies) ? dependencies : []).find(
    ref => typeof ref === 'string' && ref.startsWith('terraformworkspace:'),
  );
  return (
    <Card role="region" aria-labelledby={heading}>
      <CardHeader>
        <Text as="h2" variant="title-x-small" id={heading}>
          Terraform resource
        </Text>
      </CardHeader>
      <CardBody>
        <Facts
          facts={[
            ['Address', address && <Redacted text={address} />],
            ['Type', annotations[TERRAFORM_RESOURCE_TYPE_ANNOTATION]],
            ['Region', annotations['terraform.io/region']],
            ['Organization', organization],
            [
              'Workspace',
              typeof workspace === 'string' ? (
                <EntityRefLink entityRef={workspace} disableTooltip />
              ) : undefined,
            ],
            [
              'Terraform Cloud',
              url && (
                <Link href={url} target="_blank">
                  open the workspace
                </Link>
              ),
            ],
          ]}
        />
      </CardBody>
    </Card>
  );
}
