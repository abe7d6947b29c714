import { useEntity } from '@backstage/plugin-catalog-react';
import { Entity } from '@backstage/catalog-model';
import {
  isTerraformWorkspaceEntity,
  TERRAFORM_ORGANIZATION_ANNOTATION,
  TERRAFORM_WORKSPACE_ID_ANNOTATION,
  TERRASIFT_TENANT_ANNOTATION,
} from '@terrasift/backstage-plugin-terrasift-common';

/** Whose an entity is, and of which workspace. */
export interface TerraformPlace {
  entity: Entity;
  tenant: string;
  workspace: string;
  organization?: string;
  /** The workspace's page in Terraform Cloud. */
  url?: string;
}

/** What the annotations of the entity that is looked at say. */
export function useTerraformEntity(): TerraformPlace {
  const { entity } = useEntity();
  const annotations = entity.metadata.annotations ?? {};
  const tenant = annotations[TERRASIFT_TENANT_ANNOTATION];
  const workspace = annotations[TERRAFORM_WORKSPACE_ID_ANNOTATION];
  if (!tenant || !workspace) {
    throw new Error(
      `this entity is not Terrasift's: it lacks ${TERRASIFT_TENANT_ANNOTATION} or ${TERRAFORM_WORKSPACE_ID_ANNOTATION}`,
    );
  }
  return {
    entity,
    tenant,
    workspace,
    organization: annotations[TERRAFORM_ORGANIZATION_ANNOTATION],
    url: webAddress(entity.metadata.links?.[0]?.url),
  };
}

/**
 * Whether an entity stands for a workspace that Terrasift keeps.
 *
 * @public
 */
export function isTerrasiftWorkspace(entity: Entity): boolean {
  return isTerraformWorkspaceEntity(entity) && isTerrasiftEntity(entity);
}

/**
 * Whether an entity is kept by Terrasift.
 *
 * @public
 */
export function isTerrasiftEntity(entity: Entity): boolean {
  const annotations = entity.metadata.annotations ?? {};
  return Boolean(
    annotations[TERRASIFT_TENANT_ANNOTATION] &&
      annotations[TERRAFORM_WORKSPACE_ID_ANNOTATION],
  );
}

/** A link that a browser may follow, or none. */
export function webAddress(text: string | undefined): string | undefined {
  return text && /^https?:\/\//i.test(text) ? text : undefined;
}
