// The client of the daemon's XML-RPC interface.

import { fromXml, plain, toXml, typed } from './values.js'

// A fault that the daemon answered.
export class Fault extends Error {
  constructor (code, text) {
    super(text)
    this.code = code
  }
}

// The namespace is not there: it is not configured.
export const UNKNOWN_METHOD = 1

const refusals = {
  401: 'The server wants a user name and a password: load the page again.',
  403: 'You may look, but not change anything.'
}

// The Response of a request to the daemon; throws an error in plain words if there is none, or not a good one.
export async function ask (url, options = {}) {
  let response
  try {
    response = await fetch(url, { cache: 'no-store', ...options })
  } catch (error) {
    if (error.name === 'AbortError') throw error
    throw new Error('The server can’t be reached.')
  }
  if (!response.ok && response.status !== 416) {
    const error = new Error(refusals[response.status] ?? `The server answered ${response.status} ${response.statusText}.`)
    error.status = response.status
    throw error
  }
  return response
}

// Calls a method with typed values; resolves to a typed one.
export async function callTyped (method, parameters, options = {}) {
  const body = `<?xml version="1.0"?><methodCall><methodName>${method}</methodName><params>${
    parameters.map(value => `<param>${toXml(value)}</param>`).join('')}</params></methodCall>`
  const response = await ask('RPC2', { method: 'POST', headers: { 'Content-Type': 'text/xml' }, body, ...options })
  const answer = new DOMParser().parseFromString(await response.text(), 'text/xml')
  const value = answer.querySelector('methodResponse > params > param > value, methodResponse > fault > value')
  if (!value) throw new Error('The server’s answer can’t be read.')
  const result = fromXml(value)
  if (value.parentNode.localName === 'fault') {
    const { faultCode, faultString } = plain(result)
    throw new Fault(faultCode, faultString)
  }
  return result
}

// Calls a method with plain values.
export const call = async (method, ...parameters) => plain(await callTyped(method, parameters.map(typed)))

// Several calls at once, [method, …parameters] each: a typed value or a Fault for each. Their results are wrapped or
// not, as the server is configured; the result of a first call whose type is known tells.
export async function callMany (calls, options) {
  const struct = ([methodName, ...params]) => ({ methodName, params })
  const list = [['system.methodHelp', 'system.methodHelp'], ...calls].map(struct)
  const [first, ...results] = (await callTyped('system.multicall', [typed(list)], options)).value
  return results.map(result => {
    const fault = result.type === 'struct' && plain(result)
    if (fault && Object.keys(fault).length === 2 && 'faultString' in fault && 'faultCode' in fault) {
      return new Fault(fault.faultCode, fault.faultString)
    }
    return first.type === 'array' ? result.value[0] : result
  })
}
