// Node's `xmlrpc` against the daemon.
//
// usage: client.js PORT
//
// Ends at the first answer that differs.
'use strict'
const assert = require('assert')
const xmlrpc = require('xmlrpc')

const client = xmlrpc.createClient({ host: '127.0.0.1', port: Number(process.argv[2]), path: '/RPC2' })

function call (method, ...params) {
  return new Promise((resolve, reject) => {
    client.methodCall(method, params, (error, value) => error ? reject(error) : resolve(value))
  })
}

async function fault (code, text, method, ...params) {
  await assert.rejects(call(method, ...params), error => {
    assert.strictEqual(error.faultCode, code)
    assert.strictEqual(error.faultString, text)
    return true
  })
}

async function main () {
  assert.strictEqual(await call('supervisor.getAPIVersion'), '3.0')
  assert.deepStrictEqual(await call('supervisor.getState'), { statecode: 1, statename: 'RUNNING' })
  await fault(10, 'BAD_NAME: nobody', 'supervisor.getProcessInfo', 'nobody')
  await fault(1, 'UNKNOWN_METHOD', 'no.such')

  // Every type there and back (the cache has values=any).
  const date = new Date(2024, 0, 31, 10, 20, 30)
  const values = [
    '', 'text', ' grüße <&> 日本 😀 ', 0, -5, 2147483647, 1.25, true, false, null, date,
    Buffer.from([...Array(256).keys()]), [], [1, 'two', [3.5, null]], { a: 1, b: { c: [], '': 'x' } }
  ]
  for (const value of values) {
    assert.strictEqual(await call('cache.store', 'node', value), true)
    assert.deepStrictEqual(await call('cache.fetch', 'node'), value)
  }
  const long = 'line of text é\n'.repeat(500000)
  assert.strictEqual(await call('cache.store', 'node', long), true)
  assert.strictEqual(await call('cache.fetch', 'node'), long)

  // Waited for, and while it is, others are served.
  const [started, state] = await Promise.all([call('supervisor.startProcess', 'noisy'), call('supervisor.getState')])
  assert.strictEqual(started, true)
  assert.strictEqual(state.statecode, 1)
  const info = await call('supervisor.getProcessInfo', 'noisy')
  assert.strictEqual(info.statename, 'RUNNING')
  assert.ok(info.pid > 0)
  assert.strictEqual((await call('supervisor.getAllProcessInfo')).length, 2)
  // What no XML can carry is replaced: Supervisor answers 500 here.
  let log = ''
  while (!log.endsWith('end\n')) log = await call('supervisor.readProcessLog', 'noisy', 0, 0)
  assert.strictEqual(log, 'nul \ufffd esc \ufffd[31m bad \ufffd\ufffd ok é end\n')
  assert.deepStrictEqual(await call('supervisor.stopProcess', 'noisy'), true)
  // With multicall_results=array, as everybody but Supervisor does it.
  const results = await call('system.multicall', [
    { methodName: 'supervisor.getVersion', params: [] },
    { methodName: 'supervisor.startProcess', params: ['nobody'] }
  ])
  assert.deepStrictEqual(results, [['3.0'], { faultCode: 10, faultString: 'BAD_NAME: nobody' }])
  console.log('all as expected')
}

main().catch(error => {
  console.error(error)
  process.exit(1)
})
