// What the buttons of the table do, as calls of XML-RPC, with the words that the server's own page would say.

import { attempt, say, sure } from './dom.js'
import { call, Fault, UNKNOWN_METHOD } from './rpc.js'
import { busy, daemon, haveTwiddler, rows } from './table.js'

const WHY = {
  20: 'no such file', 21: 'file not executable', 40: 'abnormal termination', 50: 'spawn error', 60: 'already started'
}
const NO_NAME = 10
const NOT_RUNNING = 70

const single = {
  async start ({ key, spec }) {
    await call('supervisor.startProcess', key)
    return `Process ${spec} started`
  },
  async stop ({ key, spec }) {
    await call('supervisor.stopProcess', key)
    return `Process ${spec} stopped`
  },
  async restart ({ key, spec }) {
    await call('supervisor.stopProcess', key).catch(only(NOT_RUNNING))
    await call('supervisor.startProcess', key)
    return `Process ${spec} restarted`
  },
  async clearlog ({ key, spec }) {
    await call('supervisor.clearProcessLogs', key)
    return `Log for ${spec} cleared`
  },
  async remove ({ group, name, spec }) {
    const text = `${spec} leaves the running supervisord until its next reload or restart. Its configuration file and its logs stay as they are.`
    if (!await sure(`Remove ${spec}?`, text, 'Remove')) return null
    await call('twiddler.removeProcessFromGroup', group, name)
    return `Process ${spec} removed`
  }
}

const only = code => error => { if (error.code !== code) throw error }

// Does one thing with one process.
export async function act (row, action) {
  if (row.busy || !Object.hasOwn(single, action)) return
  busy(row, action)
  try {
    const text = await single[action](row)
    if (text) say(text)
  } catch (error) {
    if (!(error instanceof Fault)) say(error.message, true)
    else if (error.code === NO_NAME) say(`No such process named ${row.spec}`, true)
    else say(`ERROR: Process ${row.spec}: ${WHY[error.code] ?? error.message}`, true)
  } finally {
    busy(row, '')
  }
}

// Says how it went with several: [{group, name, status, description}, …].
function tally (results, done) {
  const failed = results.filter(({ status }) => status !== 80)
  const well = results.length - failed.length
  if (failed.length) {
    const names = failed.slice(0, 5).map(({ group, name, description }) => `${group}:${name} (${description})`)
    say(`ERROR: not ${done}: ${names.join(', ')}${failed.length > 5 ? `, and ${failed.length - 5} more` : ''}`, true)
  }
  return well === 1 ? '1 process' : `${well} processes`
}

async function several (what, stop, start, title) {
  const steps = []
  if (what !== 'start') steps.push(['stopped', stop])
  if (what !== 'stop') steps.push(['started', start])
  const parts = []
  for (const [done, [method, ...parameters]] of steps) {
    parts.push(`${tally(await call(method, ...parameters), done)} ${done}`)
  }
  say(`${title}: ${parts.join(', ')}`)
}

// Does something with a whole group.
export function actGroup (group, verb) {
  return attempt(async () => {
    if (verb !== 'remove') {
      await several(verb, ['supervisor.stopProcessGroup', group], ['supervisor.startProcessGroup', group], `Group ${group}`)
      return
    }
    const text = `The group ${group} with its processes leaves the running supervisord until its next reload or restart. Its configuration file and its logs stay as they are.`
    if (!await sure(`Remove the group ${group}?`, text, 'Remove')) return
    await call('supervisor.removeProcessGroup', group)
    say(`Group ${group} removed`)
  })
}

// Stops or restarts everything.
export function actAll (action) {
  return attempt(async () => {
    const verb = action === 'stopall' ? 'Stop' : 'Restart'
    const number = [...rows.values()].filter(({ kind }) => kind === 'restart' || kind === 'stop').length
    const text = `${number === 1 ? 'One process runs' : `${number} processes run`} now.${verb === 'Restart' ? ' What doesn’t run is started, too.' : ''}`
    if (!await sure(`${verb} all processes?`, text, `${verb} all`)) return
    await several(verb.toLowerCase(), ['supervisor.stopAllProcesses'], ['supervisor.startAllProcesses'], 'All')
  })
}

// Whether programs can be added and removed here. Asked once, and only for who may.
export async function lookForTwiddler () {
  if (!daemon.mayChange) return
  try {
    await call('twiddler.getAPIVersion')
  } catch (error) {
    // One that the white list keeps out is there.
    if (!(error instanceof Fault) || error.code === UNKNOWN_METHOD) return
  }
  haveTwiddler()
}
