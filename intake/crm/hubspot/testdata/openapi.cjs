// Makes an OpenAPI document of HubSpot's own library (npm @hubspot/api-client): its models say which
// fields there are, of which type, and which must be there; its factories of requests say which paths
// there are, what they take, and what they answer by status. The library calls the versions before the
// dated ones, whose paths stand in the document.
// node openapi.cjs DIRECTORY-OF-NODE_MODULES OUT
const fs = require('fs'), path = require('path'), { createRequire } = require('module');
const [, , dir, out] = process.argv;
const need = createRequire(path.join(dir, 'node_modules', 'x.js'));
const root = path.join(path.dirname(need.resolve('@hubspot/api-client/package.json')), 'lib/codegen');
const rooms = ['crm/deals', 'crm/companies', 'crm/contacts', 'crm/objects/notes', 'crm/objects/emails', 'crm/objects/meetings',
  'crm/properties', 'crm/pipelines', 'crm/owners', 'crm/associations/v4', 'oauth'];
const doc = {
  openapi: '3.0.3', info: { title: 'HubSpot, as its library has it', version: need('@hubspot/api-client/package.json').version },
  paths: {}, components: { schemas: {}, securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } }, security: [{ bearer: [] }],
};
const plain = { string: { type: 'string' }, number: { type: 'number' }, boolean: { type: 'boolean' }, Date: { type: 'string', format: 'date-time' }, any: {} };

function schema(type, prefix) {
  let m;
  type = type.trim();
  if ((m = type.match(/^(?:Array|Set)<(.*)>$/))) return { type: 'array', items: schema(m[1], prefix) };
  if ((m = type.match(/^\{ \[key: string\]: (.*); \}$/))) return { type: 'object', additionalProperties: schema(m[1], prefix) };
  if ((m = type.match(/^(.*) \| null$/))) return { ...schema(m[1], prefix), nullable: true };
  return plain[type] ? { ...plain[type] } : { $ref: '#/components/schemas/' + prefix + type };
}

function models(room, prefix) {
  const at = path.join(root, room, 'models');
  for (const file of fs.readdirSync(at).filter((f) => f.endsWith('.js'))) {
    const name = file.slice(0, -3), model = require(path.join(at, file))[name];
    if (!model || !model.getAttributeTypeMap) continue;
    const types = fs.readFileSync(path.join(at, name + '.d.ts'), 'utf8');
    const s = { type: 'object', properties: {}, required: [], additionalProperties: false };
    for (const a of model.getAttributeTypeMap()) {
      let value = schema(a.type, prefix);
      if (value.$ref && /Enum$/.test(a.type)) {
        const all = require(path.join(at, file))[a.type];
        value = all ? { type: 'string', enum: Object.values(all) } : { type: 'string' };
      }
      s.properties[a.baseName] = value;
      const found = types.match(new RegExp(`^\\s*'${a.baseName.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}'(\\??):`, 'm'));
      if (found && !found[1]) s.required.push(a.baseName);
    }
    if (!s.required.length) delete s.required;
    doc.components.schemas[prefix + name] = s;
  }
}

const json = (s) => ({ 'application/json': { schema: s } });

function answers(text, prefix) {
  const all = { default: { description: 'refused', content: json({ type: 'object', required: ['message'], properties: { message: { type: 'string' } } }) } };
  for (const m of text.matchAll(/isCodeInRange\)\("(\d+)"[\s\S]*?(?=isCodeInRange|throw new exception_1\.ApiException\(response\.httpStatusCode, "Unknown)/g)) {
    if (m[1] === '0') continue;
    const type = m[0].match(/contentType\), "([^"]+)", ""\)/);
    all[m[1]] = { description: 'done', ...(type && type[1] !== 'void' ? { content: json(schema(type[1], prefix)) } : {}) };
  }
  return all;
}

function dated(p) {
  return p.replace(/^\/crm\/v[34]\/(objects|associations)/, '/crm/$1/2026-09').replace(/^\/crm\/v3\/(\w+)/, '/crm/$1/2026-09')
    .replace(/^\/oauth\/v1/, '/oauth/2026-09').replace(/\/$/, '');
}

function calls(room, prefix) {
  const at = path.join(root, room, 'apis');
  for (const file of fs.readdirSync(at).filter((f) => /Api\.js$/.test(f))) {
    const text = fs.readFileSync(path.join(at, file), 'utf8');
    for (const part of text.split(/\n {4}(?=\w+\(.*\) \{\n)/).slice(1)) {
      const p = (part.match(/const localVarPath = '([^']+)'/) || [])[1], method = (part.match(/HttpMethod\.(\w+)/) || [])[1];
      if (!p || !method) continue;
      const name = part.slice(0, part.indexOf('('));
      const after = text.split(new RegExp(`\\n {4}${name}WithHttpInfo\\(response\\) \\{\\n`))[1] || '';
      const body = (part.match(/stringify\(ObjectSerializer_1\.ObjectSerializer\.serialize\(\w+, "([^"]+)"/) || [])[1];
      const call = { responses: answers(after.split(/\n {4}\w+WithHttpInfo\(response\)/)[0], prefix), parameters: [] };
      for (const v of p.matchAll(/\{(\w+)\}/g)) call.parameters.push({ name: v[1], in: 'path', required: true, schema: { type: 'string' } });
      for (const q of part.matchAll(/setQueryParam\("(\w+)"/g)) call.parameters.push({ name: q[1], in: 'query', schema: {} });
      if (body) call.requestBody = { required: true, content: json(schema(body, prefix)) };
      if (room === 'oauth') call.security = [];
      (doc.paths[dated(p)] ||= {})[method.toLowerCase()] = call;
    }
  }
}

for (const room of rooms) {
  const prefix = room.replace(/\W/g, '_') + '_';
  models(room, prefix);
  calls(room, prefix);
}
// What the dated versions have otherwise, and what the library does not know.
delete doc.paths['/crm/objects/2026-09/{objectType}/{objectId}/associations/{toObjectType}'];
doc.components.schemas.crm_properties_OptionInput.required.push('displayOrder');
doc.paths['/oauth/2026-09/token'].post.requestBody = { required: true, content: { 'application/x-www-form-urlencoded': { schema: {
  type: 'object', required: ['grant_type', 'client_id', 'client_secret', 'refresh_token'],
  properties: { grant_type: { enum: ['refresh_token'] }, client_id: plain.string, client_secret: plain.string, refresh_token: plain.string },
} } } };
doc.paths['/account-info/2026-09/details'] = { get: { responses: { 200: { description: 'done', content: json({
  type: 'object', required: ['portalId', 'timeZone', 'companyCurrency', 'uiDomain'],
  properties: { portalId: { type: 'integer' }, timeZone: plain.string, companyCurrency: plain.string, uiDomain: plain.string },
}) } } } };
fs.writeFileSync(out, JSON.stringify(doc));
