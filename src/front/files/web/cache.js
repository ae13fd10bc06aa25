// The view of the cache: its keys page by page, the values of those in sight, one of them to edit.

import { attempt, button, count, h, later, link, place, say, size, sure } from './dom.js'
import { call, callMany, callTyped, Fault, UNKNOWN_METHOD } from './rpc.js'
import { bytes, parse, print, typed } from './values.js'
import { daemon } from './table.js'

// Keys on a page; values in one request.
const PAGE = 100
const MANY = 20
// Characters of a value that the list shows.
const SHOWN = 200
const TYPES = { string: 'text', int: 'integer', double: 'double', boolean: 'boolean', dateTime: 'date', base64: 'binary', nil: 'nil', array: 'array', struct: 'struct' }

const parts = {}
let keys = []
let page = 0
let asked = null
let edited = null

// Fills the view's section; once.
export function start (section) {
  parts.section = section
  parts.filter = h('input', { type: 'search', placeholder: 'Filter keys', 'aria-label': 'Filter keys', spellcheck: 'false', oninput: later(() => { page = 0; draw() }, 60) })
  parts.number = h('span', { class: 'quiet', role: 'status' })
  parts.create = button('New key…', () => edit(null))
  parts.clear = button('Clear cache…', clear, { class: 'danger' })
  parts.back = button('‹', () => turn(-1), { 'aria-label': 'Previous page' })
  parts.on = button('›', () => turn(1), { 'aria-label': 'Next page' })
  parts.tools = h('div', { class: 'tools' }, parts.filter, parts.number, parts.back, parts.on,
    h('span', { class: 'bar end' }, button('Reload', () => attempt(load)), parts.create, parts.clear))
  parts.rows = h('tbody')
  parts.table = h('table', { class: 'keys' }, h('thead', {}, h('tr', {},
    ...['Key', 'Type', 'Size', 'Value'].map(text => h('th', { scope: 'col' }, text)))), parts.rows)
  parts.card = h('div', { class: 'card', hidden: true })
  parts.view = h('div', { class: 'cache' }, parts.table, parts.card)
  parts.empty = h('div', { class: 'empty', hidden: true })
  section.append(parts.tools, parts.view, parts.empty)
}

// Shows it, with the key that the address names.
export async function open () {
  parts.create.hidden = parts.clear.hidden = !daemon.mayChange
  await attempt(load)
  const key = place().query.get('key')
  if (key && key !== edited) edit(key)
}

export function leave () {
  asked?.abort()
}

export const focus = () => parts.filter.select()

async function load () {
  try {
    keys = await call('cache.getKeys')
    parts.tools.hidden = false
  } catch (error) {
    keys = []
    parts.tools.hidden = error instanceof Fault && error.code === UNKNOWN_METHOD
    if (!parts.tools.hidden) throw error
    parts.view.hidden = true
    parts.empty.hidden = false
    parts.empty.replaceChildren(h('p', {}, 'The cache is not switched on. These lines in the configuration do that:'),
      h('pre', {}, '[rpcinterface:cache]\nsupervisor.rpcinterface_factory = supervisor_cache.rpcinterface:make_cache_rpcinterface'))
    return
  }
  draw()
}

function turn (by) {
  page += by
  draw()
}

function draw () {
  const words = parts.filter.value.toLowerCase().split(/\s+/).filter(Boolean)
  const list = words.length ? keys.filter(key => words.every(word => key.toLowerCase().includes(word))) : keys
  page = Math.max(0, Math.min(page, Math.ceil(list.length / PAGE) - 1))
  const from = page * PAGE
  const part = list.slice(from, from + PAGE)
  const many = list.length > PAGE
  parts.number.textContent = (many ? `${count(from + 1)}–${count(from + part.length)} of ` : '') +
    `${count(list.length)} ${list.length === 1 ? 'key' : 'keys'}${words.length ? ` (of ${count(keys.length)})` : ''}`
  parts.back.hidden = parts.on.hidden = !many
  parts.back.disabled = !from
  parts.on.disabled = from + PAGE >= list.length
  parts.rows.replaceChildren(...part.map(key => {
    const row = h('tr', { 'aria-selected': key === edited ? 'true' : false },
      h('td', {}, button(key, () => edit(key), { title: key })), h('td'), h('td'), h('td'))
    row.key = key
    return row
  }))
  parts.table.hidden = !part.length
  parts.view.hidden = !part.length && parts.card.hidden
  parts.empty.hidden = part.length > 0
  parts.empty.textContent = keys.length ? 'No key is like that.' : 'The cache is empty.'
  lookAtValues()
}

// Fetches the values of the rows as they come into sight.
function lookAtValues () {
  asked?.abort()
  asked = new AbortController()
  const { signal } = asked
  const waiting = new Set()
  const fetchSome = later(async () => {
    while (waiting.size && !signal.aborted) {
      const some = [...waiting].slice(0, MANY)
      for (const row of some) waiting.delete(row)
      const values = await attempt(() => callMany(some.map(({ key }) => ['cache.fetch', key]), { signal }))
      if (!values) return
      some.forEach((row, i) => fill(row, values[i]))
    }
  }, 30)
  const watcher = new IntersectionObserver(entries => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue
      watcher.unobserve(target)
      waiting.add(target)
    }
    fetchSome()
  })
  signal.addEventListener('abort', () => watcher.disconnect())
  for (const row of parts.rows.rows) watcher.observe(row)
}

function fill (row, value) {
  const [, type, length, text] = row.cells
  if (value instanceof Fault) {
    text.textContent = value.code === 10 ? 'gone' : value.message
    return
  }
  type.textContent = TYPES[value.type]
  length.textContent = size(bytes(value))
  const shown = value.type === 'string' || value.type === 'base64' ? value.value.slice(0, SHOWN + 1) : print(value)
  text.textContent = shown.length > SHOWN ? `${shown.slice(0, SHOWN)}…` : shown
}

// What is typed for a value of one type, and back.
const asText = ({ type, value }) => (type === 'array' || type === 'struct' ? print({ type, value }, '') : String(value ?? ''))

function fromText (type, text) {
  const trimmed = text.trim()
  const must = (pattern, what) => { if (!pattern.test(trimmed)) throw new Error(`This is no ${what}.`) }
  switch (type) {
    case 'string': return typed(text)
    case 'int': must(/^[-+]?\d+$/, 'integer'); return { type, value: trimmed }
    case 'double': must(/^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/, 'number'); return { type, value: trimmed }
    case 'boolean': must(/^(true|false)$/, 'boolean: true or false'); return typed(trimmed === 'true')
    case 'dateTime': must(/^\d{8}T\d\d:\d\d:\d\d$/, 'date like 20261120T15:07:45'); return { type, value: trimmed }
    case 'base64': must(/^[A-Za-z0-9+/\s]*={0,2}$/, 'base64'); return { type, value: trimmed.replace(/\s/g, '') }
    case 'nil': return typed(null)
    default: {
      const value = parse(text)
      if (value.type !== type) throw new Error(type === 'array' ? 'An array begins with [.' : 'A struct begins with {.')
      return value
    }
  }
}

// Opens the card for a key, or for a new one.
async function edit (key) {
  let value = { type: 'string', value: '' }
  if (key !== null) {
    value = await attempt(() => callTyped('cache.fetch', [typed(key)]))
    if (!value) return attempt(load)
  }
  edited = key
  if (place().view === 'cache') history.replaceState(null, '', link('cache', { key: key ?? '' }))
  const may = daemon.mayChange
  const name = h('input', { class: 'code', required: true, autocomplete: 'off', spellcheck: 'false', readonly: key !== null })
  name.value = key ?? ''
  const type = h('select', { disabled: !may, onchange: () => { text.hidden = type.value === 'nil' } },
    ...Object.entries(TYPES).map(([id, title]) => h('option', { value: id, selected: id === value.type }, title)))
  const text = h('textarea', { class: 'code', readonly: !may, spellcheck: 'false', hidden: value.type === 'nil', 'aria-label': 'Value' })
  text.value = asText(value)
  const wrong = h('p', { class: 'complaint', role: 'alert', hidden: true })
  const form = h('form', {
    onsubmit: async event => {
      event.preventDefault()
      wrong.hidden = true
      try {
        const replaces = key === null && keys.includes(name.value)
        if (replaces && !await sure(`Replace ${name.value}?`, 'There is a value of that key already.', 'Replace')) return
        await callTyped('cache.store', [typed(name.value), fromText(type.value, text.value)])
        say(`Stored ${name.value}`)
        edited = name.value
        await load()
        edit(edited)
      } catch (error) {
        wrong.textContent = error.message
        wrong.hidden = false
      }
    }
  }, h('div', { class: 'fields' },
    h('label', { class: 'wide' }, 'Key', name), h('label', { class: 'wide' }, 'Type', type), h('label', { class: 'wide' }, 'Value', text)),
  wrong, h('div', { class: 'foot' },
    may && key !== null ? button('Delete…', () => remove(key), { class: 'danger start' }) : null,
    button('Close', close), may ? h('button', { class: 'primary' }, 'Store') : null))
  parts.card.replaceChildren(h('h2', {}, key === null ? 'New key' : 'Value'), form)
  parts.card.hidden = parts.view.hidden = false
  for (const row of parts.rows.rows) {
    if (row.key === key) row.setAttribute('aria-selected', 'true')
    else row.removeAttribute('aria-selected')
  }
  if (key === null) name.focus()
}

export function close () {
  if (parts.card.hidden) return
  edited = null
  parts.card.hidden = true
  if (place().view === 'cache') history.replaceState(null, '', link('cache'))
  draw()
}

function remove (key) {
  return attempt(async () => {
    if (!await sure(`Delete ${key}?`, 'Its value is lost.', 'Delete')) return
    await call('cache.delete', key)
    say(`Deleted ${key}`)
    close()
    await load()
  })
}

function clear () {
  return attempt(async () => {
    const number = await call('cache.getCount')
    if (!await sure('Clear the cache?', `${number === 1 ? 'One value is' : `${count(number)} values are`} lost.`, 'Clear')) return
    await call('cache.clear')
    say('The cache is cleared')
    close()
    await load()
  })
}
