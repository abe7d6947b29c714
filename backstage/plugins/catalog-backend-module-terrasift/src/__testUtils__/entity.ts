import { TerrasiftSchema } from '@terrasift/backstage-plugin-terrasift-common';

/** A resource of tenant acme, as the engine emits them. */
export function entity(
  name: string,
  description: string = 'as it was',
): TerrasiftSchema<'Entity'> {
  return {
    apiVersion: 'backstage.io/v1alpha1',
    kind: 'Resource',
    metadata: {
      name,
      namespace: 'acme',
      description,
      annotations: {
        'backstage.io/managed-by-location': 'terrasift:acme/ws-1',
        'backstage.io/managed-by-origin-location': 'terrasift:acme/ws-1',
        'terraform.io/workspace-id': 'ws-1',
      },
    },
    spec: {
      type: 'database',
      owner: 'net-ops',
      dependsOn: ['terraformworkspace:acme/network'],
    },
  };
}

/** The workspace that they depend on. */
export function workspace(): TerrasiftSchema<'Entity'> {
  const { metadata } = entity('network');
  return {
    apiVersion: 'terrasift.io/v1alpha1',
    kind: 'TerraformWorkspace',
    metadata,
    spec: {
      type: 'terraform-workspace',
      owner: 'net-ops',
      system: 'platform',
      dependsOn: ['resource:acme/elsewhere'],
    },
  };
}
