// Counts the conditions of each query of standard input, a JSON list, as a parser of SOQL reads it.
const [modules] = process.argv.slice(2)
const { parseQuery, isQueryValid } = require(require.resolve('@jetstreamapp/soql-parser-js', { paths: [modules] }))
const count = w => !w ? 0 : (w.left && (w.left.field || w.left.fn) ? 1 : 0) + (w.left && w.left.valueQuery ? count(w.left.valueQuery.where) : 0) + count(w.right)
let text = ''
process.stdin.on('data', d => { text += d }).on('end', () => {
  console.log(JSON.stringify(JSON.parse(text).map(q => {
    try { return isQueryValid(q) ? count(parseQuery(q).where) : -1 } catch (e) { return -1 }
  })))
})
