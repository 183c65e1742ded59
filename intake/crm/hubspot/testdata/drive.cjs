// Drives an account by HubSpot's own library and says what came of each step, a line of JSON each.
// node drive.cjs DIRECTORY-OF-NODE_MODULES URL TOKEN
const path = require('path'), { createRequire } = require('module');
const [, , dir, url, token] = process.argv;
const { Client } = createRequire(path.join(dir, 'node_modules', 'x.js'))('@hubspot/api-client');
const hub = new Client({ accessToken: token, basePath: url, numberOfApiCallRetries: 0 });
async function step(name, f) {
  let out;
  try {
    out = await f();
  } catch (e) {
    out = { refused: e.code || String(e), category: e.body && e.body.category, message: e.body && e.body.message };
  }
  console.log(JSON.stringify({ name, out }));
  return out;
}
(async () => {
  const { companies, contacts, deals, properties, pipelines, owners, associations } = hub.crm;
  const co = await step('company', () => companies.basicApi.create({ properties: { name: 'Acme', domain: 'acme.example', leadgate_domain: 'acme.example' }, associations: [] }));
  await step('same company', () => companies.basicApi.create({ properties: { name: 'Acme 2', leadgate_domain: 'ACME.example' }, associations: [] }));
  const person = await step('contact', () => contacts.basicApi.create({
    properties: { email: 'Jo@acme.example', lastname: 'Doe' },
    associations: [{ to: { id: co.id }, types: [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 279 }] }],
  }));
  await step('same contact', () => contacts.basicApi.create({ properties: { email: 'jo@acme.example' }, associations: [] }));
  const deal = await step('deal', () => deals.basicApi.create({
    properties: { dealname: 'Acme', dealstage: 'qualifiedtobuy', pipeline: 'default', leadgate_case: 'LG-1', amount: '12' },
    associations: [{ to: { id: co.id }, types: [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 341 }] }],
  }));
  await step('same case', () => deals.basicApi.create({ properties: { leadgate_case: 'LG-1' }, associations: [] }));
  await step('unknown property', () => deals.basicApi.update(deal.id, { properties: { colour: 'red' } }));
  await step('wrong option', () => deals.basicApi.update(deal.id, { properties: { leadgate_status: 'nonsense' } }));
  await step('by case', () => deals.basicApi.getById('LG-1', ['amount', 'hs_is_closed'], undefined, ['companies'], false, 'leadgate_case'));
  await step('by name', () => deals.basicApi.getById('Acme', [], undefined, undefined, false, 'dealname'));
  await step('update', () => deals.basicApi.update('LG-1', { properties: { amount: '13' } }, 'leadgate_case'));
  await step('batch', () => deals.batchApi.read({ idProperty: 'leadgate_case', inputs: [{ id: 'LG-1' }, { id: 'LG-2' }], properties: ['amount'], propertiesWithHistory: [] }));
  await step('upsert old', () => deals.batchApi.upsert({ inputs: [{ id: 'LG-1', idProperty: 'leadgate_case', properties: { leadgate_case: 'LG-1' } }] }));
  await step('upsert new', () => deals.batchApi.upsert({ inputs: [{ id: 'LG-3', idProperty: 'leadgate_case', properties: { leadgate_case: 'LG-3' } }] }));
  await step('search', () => companies.searchApi.doSearch({
    filterGroups: [{ filters: [{ propertyName: 'domain', operator: 'EQ', value: 'acme.example' }] }], sorts: ['createdate'], properties: ['name'], limit: 10, after: '0',
  }));
  await step('wrong search', () => companies.searchApi.doSearch({
    filterGroups: [{ filters: [{ propertyName: 'nonsense', operator: 'EQ', value: 'x' }] }], sorts: [], properties: [], limit: 10, after: '0',
  }));
  await step('associate', () => associations.v4.basicApi.createDefault('deals', deal.id, 'contacts', person.id));
  await step('associated', () => associations.v4.batchApi.getPage('deals', 'contacts', { inputs: [{ id: deal.id }, { id: '7' }] }));
  await step('properties', async () => (await properties.coreApi.getAll('deals')).results.filter((p) => p.name === 'leadgate_case'));
  await step('pipelines', async () => (await pipelines.pipelinesApi.getAll('deals')).results.map((p) => [p.id, p.stages.length, p.stages.find((s) => s.id === 'closedwon').metadata]));
  await step('owners', async () => (await owners.ownersApi.getPage()).results.map((o) => [o.firstName, o.createdAt instanceof Date]));
  await step('note', () => hub.crm.objects.notes.basicApi.create({
    properties: { hs_timestamp: '2026-11-23T10:00:00Z', hs_note_body: 'hello' },
    associations: [{ to: { id: deal.id }, types: [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 214 }] }],
  }));
  await step('note without a time', () => hub.crm.objects.notes.basicApi.create({ properties: { hs_note_body: 'hello' }, associations: [] }));
  const other = await step('other deal', () => deals.basicApi.create({ properties: { dealname: 'Other', leadgate_case: 'LG-4' }, associations: [] }));
  await step('merge', () => deals.basicApi.merge ? deals.basicApi.merge({ primaryObjectId: deal.id, objectIdToMerge: other.id }) : deals.publicObjectApi.merge({ primaryObjectId: deal.id, objectIdToMerge: other.id }));
  await step('merged', () => deals.basicApi.getById(other.id, ['leadgate_case']));
  await step('delete', () => deals.basicApi.archive(deal.id));
  await step('deleted', () => deals.basicApi.getById(deal.id));
  await step('token', () => hub.oauth.tokensApi.create('refresh_token', undefined, undefined, 'id', 'secret', 'the-refresh-token'));
  const bad = new Client({ accessToken: 'nobody', basePath: url, numberOfApiCallRetries: 0 });
  await step('nobody', () => bad.crm.deals.basicApi.getById('1'));
})();
