// Drives an org by Salesforce's own client, and says what came of each step, one JSON a line.
// Arguments: the directory of node_modules, the org's URL, a session.
const [modules, url, token] = process.argv.slice(2)
const { Connection } = require(require.resolve('@jsforce/jsforce-node', { paths: [modules] }))
const c = new Connection({ instanceUrl: url, accessToken: token, version: '68.0' })
const step = async (name, f) => {
  let out
  try { out = await f() } catch (e) { out = { error: e.errorCode, message: e.message, data: e.data } }
  console.log(JSON.stringify({ name, out: out === undefined ? null : out }))
  return out
}
;(async () => {
  const account = await step('create', () => c.sobject('Account').create({ Name: "O'Brien" }))
  await step('upsert new', () => c.sobject('Account').upsert({ Leadgate_Domain__c: 'a+b.example', Name: 'Acme' }, 'Leadgate_Domain__c'))
  await step('upsert old', () => c.sobject('Account').upsert({ Leadgate_Domain__c: 'A+B.example', Name: 'Acme 2' }, 'Leadgate_Domain__c'))
  await step('query', () => c.query("SELECT Id, Name, Owner.Name FROM Account WHERE Name = 'O\\'Brien' OR Website LIKE '%x\\_y%' ORDER BY Name LIMIT 5"))
  await step('malformed', () => c.query("SELECT Id FRM Account"))
  await step('unknown field', () => c.query('SELECT Nope FROM Account'))
  await step('update', () => c.sobject('Account').update({ Id: account.id, Website: 'x_y.example' }))
  await step('retrieve', () => c.sobject('Account').retrieve(account.id))
  await step('several', () => c.sobject('Opportunity').upsert({ Leadgate_Case__c: 'LG-2', Name: 'x' }, 'Leadgate_Case__c'))
  await step('duplicate', () => c.sobject('Contact').create({ LastName: 'Doe' }))
  await step('required', () => c.sobject('Account').create({}))
  await step('describe', async () => (await c.sobject('Partner_Registration__c').describe()).fields.map(f => f.name))
  const sub = (ref, object, key, value, body) => ({ method: 'PATCH', url: `/services/data/v68.0/sobjects/${object}/${key}/${value}`, referenceId: ref, body })
  const registration = body => sub('reg', 'Partner_Registration__c', 'Case_Number__c', 'LG-9', body)
  const composite = (...all) => c.requestPost('/composite', { allOrNone: true, compositeRequest: all })
  await step('composite', () => composite(sub('acc', 'Account', 'Leadgate_Domain__c', 'nine.example', { Name: 'Nine' }), registration({ Account__c: '@{acc.id}', Rev__c: 2 })))
  await step('rolled back', () => composite(sub('acc', 'Account', 'Leadgate_Domain__c', 'ten.example', { Name: 'Ten' }), registration({ Rev__c: 1 })))
  await step('ten', () => c.query("SELECT Id FROM Account WHERE Leadgate_Domain__c = 'ten.example'"))
  await step('deleted', () => c.sobject('Account').delete(account.id))
  await step('query all', () => c.query(`SELECT Id, IsDeleted FROM Account WHERE Id = '${account.id}'`, { scanAll: true }))
  await step('gone', () => c.sobject('Account').update({ Id: account.id, Name: 'x' }))
  await step('limits', () => c.limitInfo)
  await step('stale session', async () => { c.accessToken = 'old'; return c.query('SELECT Id FROM Account') })
})()
