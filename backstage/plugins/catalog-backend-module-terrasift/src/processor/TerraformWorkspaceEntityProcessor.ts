import {
  CompoundEntityRef,
  Entity,
  getCompoundEntityRef,
  parseEntityRef,
  RELATION_DEPENDENCY_OF,
  RELATION_DEPENDS_ON,
  RELATION_HAS_PART,
  RELATION_OWNED_BY,
  RELATION_OWNER_OF,
  RELATION_PART_OF,
} from '@backstage/catalog-model';
import { LocationSpec } from '@backstage/plugin-catalog-common';
import {
  CatalogProcessor,
  CatalogProcessorEmit,
  processingResult,
} from '@backstage/plugin-catalog-node';
import {
  isTerraformWorkspaceEntity,
  TERRAFORM_WORKSPACE_ID_ANNOTATION,
  TERRAFORM_WORKSPACE_KIND,
  terraformWorkspaceEntityV1alpha1Validator,
} from '@terrasift/backstage-plugin-terrasift-common';

/**
 * Lets the catalog know the kind TerraformWorkspace: what is valid, and its relations. A resource that Terraform
 * manages becomes a part of its workspace, beside the built-in relations that it has.
 *
 * @public
 */
export class TerraformWorkspaceEntityProcessor implements CatalogProcessor {
  getProcessorName(): string {
    return 'TerraformWorkspaceEntityProcessor';
  }

  async validateEntityKind(entity: Entity): Promise<boolean> {
    return terraformWorkspaceEntityV1alpha1Validator.check(entity);
  }

  async postProcessEntity(
    entity: Entity,
    _location: LocationSpec,
    emit: CatalogProcessorEmit,
  ): Promise<Entity> {
    const self = getCompoundEntityRef(entity);
    const relate = (targets: CompoundEntityRef[], to: string, back: string) => {
      for (const target of targets) {
        emit(processingResult.relation({ source: self, type: to, target }));
        emit(
          processingResult.relation({
            source: target,
            type: back,
            target: self,
          }),
        );
      }
    };
    const refs = (texts: string[], defaultKind?: string) =>
      texts.map(text =>
        parseEntityRef(text, { defaultKind, defaultNamespace: self.namespace }),
      );

    if (isTerraformWorkspaceEntity(entity)) {
      const { owner, system, dependsOn } = entity.spec;
      relate(refs([owner], 'Group'), RELATION_OWNED_BY, RELATION_OWNER_OF);
      relate(
        refs(system ? [system] : [], 'System'),
        RELATION_PART_OF,
        RELATION_HAS_PART,
      );
      relate(
        refs(dependsOn ?? []),
        RELATION_DEPENDS_ON,
        RELATION_DEPENDENCY_OF,
      );
    } else if (isTerraformResource(entity)) {
      const workspaces = dependencies(entity).filter(text =>
        text
          .toLocaleLowerCase('en-US')
          .startsWith(
            `${TERRAFORM_WORKSPACE_KIND.toLocaleLowerCase('en-US')}:`,
          ),
      );
      relate(refs(workspaces), RELATION_PART_OF, RELATION_HAS_PART);
    }
    return entity;
  }
}

function isTerraformResource(entity: Entity): boolean {
  const annotations = entity.metadata.annotations ?? {};
  return (
    entity.kind === 'Resource' &&
    TERRAFORM_WORKSPACE_ID_ANNOTATION in annotations
  );
}

function dependencies(entity: Entity): string[] {
  const dependsOn = entity.spec?.dependsOn;
  return Array.isArray(dependsOn)
    ? dependsOn.filter((text): text is string => typeof text === 'string')
    : [];
}
