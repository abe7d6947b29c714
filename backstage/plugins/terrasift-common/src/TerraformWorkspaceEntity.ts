import {
  Entity,
  entityKindSchemaValidator,
  KindValidator,
} from '@backstage/catalog-model';
import schema from './TerraformWorkspace.v1alpha1.schema.json';

/**
 * `apiVersion` of Terrasift's own kinds.
 *
 * @public
 */
export const TERRASIFT_API_VERSION = 'terrasift.io/v1alpha1';

/**
 * Kind of the entity that stands for a workspace of Terraform Cloud.
 *
 * @public
 */
export const TERRAFORM_WORKSPACE_KIND = 'TerraformWorkspace';

/**
 * A workspace of Terraform Cloud, as Terrasift tells it. No value of a variable or a resource stands in it.
 *
 * @public
 */
export interface TerraformWorkspaceEntityV1alpha1 extends Entity {
  /** Of Terrasift's own kinds. */
  apiVersion: 'terrasift.io/v1alpha1';
  /** Of this one. */
  kind: 'TerraformWorkspace';
  /** What Terraform Cloud and the state say. */
  spec: {
    /** Always `terraform-workspace`. */
    type: string;
    /** Reference of the group or user that owns it; the kind is `Group` and the namespace the entity's if they are left out. */
    owner: string;
    lifecycle?: string;
    /** Reference of the system that it is part of. */
    system?: string;
    /** References of what it depends on. */
    dependsOn?: string[];
    /** Project of Terraform Cloud. */
    project?: string;
    locked?: boolean;
    autoApply?: boolean;
    /** Version that the workspace is set to. */
    terraformVersion?: string;
    /** Version that wrote the state. */
    stateTerraformVersion?: string;
    /** Id of the state version, `sv-…`. */
    stateVersion?: string;
    /** Serial of the state; 0 if nothing was ever applied. */
    stateSerial?: number;
    /** Managed resource instances in the state, listed in the catalog or not. */
    resourceCount?: number;
    /** Instances of data sources. */
    dataSourceCount?: number;
    /** Objects that Terraform has still to destroy. */
    deposedCount?: number;
    /** Managed instances by Terraform's type; `other` sums up rare ones. */
    resourceTypes?: { [type: string]: number };
    /** Source addresses of the providers. */
    providers?: string[];
    /** Keys of the variables; never a value. */
    variables?: { key: string; sensitive: boolean }[];
    /** Repository that the workspace is connected with. */
    vcs?: {
      repository?: string;
      branch?: string;
      workingDirectory?: string;
      url?: string;
    };
  };
}

/**
 * Whether an entity is a {@link TerraformWorkspaceEntityV1alpha1}.
 *
 * @public
 */
export function isTerraformWorkspaceEntity(
  entity: Entity,
): entity is TerraformWorkspaceEntityV1alpha1 {
  return (
    entity.apiVersion === TERRASIFT_API_VERSION &&
    entity.kind === TERRAFORM_WORKSPACE_KIND
  );
}

const validator = entityKindSchemaValidator(schema);

/**
 * Validates {@link TerraformWorkspaceEntityV1alpha1}: false for other kinds, an error for a malformed one. Members that
 * it does not know may stand in the spec, so that an engine that is newer than the plugin is not refused.
 *
 * @public
 */
export const terraformWorkspaceEntityV1alpha1Validator: KindValidator = {
  async check(entity: Entity) {
    return validator(entity) === entity;
  },
};
