// @ts-check

/**
 * Where the entity provider of each tenant stands.
 *
 * @param {import('knex').Knex} knex
 */
exports.up = async function up(knex) {
  await knex.schema.createTable('terrasift_feeds', table => {
    table.comment('Where the Terrasift provider of each tenant stands');
    table
      .string('tenant', 63)
      .primary()
      .comment("The tenant's id in the configuration");
    table
      .text('cursor')
      .nullable()
      .comment('What is behind it was applied to the catalog; null: nothing');
    table
      .integer('format')
      .notNullable()
      .comment('Version of what is made of an entity');
    table
      .integer('baseline')
      .nullable()
      .comment('Entities of the feed at the last comparison that was accepted');
    table
      .integer('counted')
      .notNullable()
      .comment('Upserts since reading began without a cursor');
    table
      .integer('removed')
      .notNullable()
      .comment('Removals that were applied since the last comparison');
    table
      .integer('withheld')
      .notNullable()
      .comment('Removals that were kept back since the last comparison');
    table
      .bigInteger('compare_at')
      .nullable()
      .comment('When to compare next, in milliseconds since 1970');
    table
      .boolean('suspect')
      .notNullable()
      .defaultTo(false)
      .comment('Somebody may have applied what was old: compare soon');
    table
      .string('lease_owner')
      .nullable()
      .comment('The replica that follows the feed');
    table
      .bigInteger('lease_until')
      .nullable()
      .comment('Until when nobody else may, in milliseconds since 1970');
  });
  await knex.schema.createTable('terrasift_entities', table => {
    table.comment(
      'What the Terrasift providers gave to the catalog, before it is given; processed and shown or not',
    );
    table.string('tenant', 63).notNullable();
    table.string('entity_ref', 255).notNullable();
    table.primary(['tenant', 'entity_ref']);
  });
};

/**
 * @param {import('knex').Knex} knex
 */
exports.down = async function down(knex) {
  await knex.schema.dropTable('terrasift_entities');
  await knex.schema.dropTable('terrasift_feeds');
};
