// The rows of the table of processes: those that came with the page are taken over, each one changes alone.

import { $, h } from './dom.js'

// Everything known of the processes, by `group:name`.
export const rows = new Map()
// What the page was told about the daemon.
export const daemon = { state: '', identifier: '', version: '', mayChange: true, now: 0, heard: 0, twiddler: false }
// Heard: that the set of processes or a state changed (`moved`), for who shows processes elsewhere (`news`, with keys).
export const heard = new EventTarget()

const board = h('div')
let body = $('.processes tbody')
const seen = new Set()
let watcher = null
const pending = { processes: new Map(), gone: new Set(), lines: new Map(), all: false, asked: false }

const STARTABLE = new Set(['STOPPED', 'EXITED', 'FATAL', 'UNKNOWN'])
const STOPPABLE = new Set(['RUNNING', 'STARTING', 'BACKOFF'])
const TONES = { RUNNING: 'statusrunning', FATAL: 'statuserror', BACKOFF: 'statuserror' }

// Takes the rows over that the server made, and adds the column of last lines.
export function takeOver () {
  daemon.mayChange = !document.body.classList.contains('viewer')
  watcher = new IntersectionObserver(entries => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) seen.add(target.row)
      else seen.delete(target.row)
    }
    tick()
  })
  // Out of its form: browsers keep a form's buttons in order, which makes it slow to move a row of them.
  const form = $('#actions')
  board.append(...form.childNodes)
  form.after(board)
  if (body) {
    const heads = $('.processes thead tr')
    heads.lastElementChild.before(h('th', { scope: 'col', class: 'said' }, 'Last line'))
    for (const tr of [...body.rows]) {
      const [state, description, name, actions] = tr.cells
      const spec = name.textContent
      const [group, rest] = spec.includes(':') ? [spec.slice(0, spec.indexOf(':')), spec.slice(spec.indexOf(':') + 1)] : [spec, spec]
      const row = { key: `${group}:${rest}`, spec, group, name: rest, state: state.textContent.toUpperCase(), description: description.textContent }
      const said = h('td', { class: 'said' })
      actions.before(said)
      adopt(row, tr, { state: state.firstChild, description, said, actions })
      // Scripts offer more: what is about to start can be stopped.
      if (row.kind === 'stop') drawActions(row)
      else relabel(row)
    }
  }
  setInterval(() => { if (!document.hidden) tick() }, 1000)
}

function adopt (row, tr, cells) {
  Object.assign(row, { tr, cells, busy: '', line: '', start: 0, out: true, err: true, kind: kind(row.state) })
  tr.row = row
  for (const cell of tr.cells) cell.setAttribute('role', 'cell')
  tr.setAttribute('role', 'row')
  rows.set(row.key, row)
  watcher.observe(tr)
}

// A row for a process that came later.
function create ({ group, name, spec }) {
  const cells = { state: h('span'), description: h('td'), said: h('td', { class: 'said' }), actions: h('td') }
  const href = `tail.html?processname=${encodeURIComponent(spec)}`
  const tr = h('tr', {}, h('td', {}, cells.state), cells.description,
    h('td', {}, h('a', { href, target: '_blank' }, spec)), cells.said, cells.actions)
  const row = { key: `${group}:${name}`, spec, group, name, state: '', description: '' }
  adopt(row, tr, cells)
  drawActions(row)
  return row
}

// The table itself, if the page came without a process.
function table () {
  if (body) return
  const head = text => h('th', { scope: 'col' }, text)
  body = h('tbody')
  board.replaceChildren(h('table', { class: 'processes' },
    h('thead', {}, h('tr', {}, head('State'), head('Description'), head('Name'),
      h('th', { scope: 'col', class: 'said' }, 'Last line'), head('Action'))), body))
  heard.dispatchEvent(new Event('table'))
}

// News from the stream; they are shown with the next frame, only the latest of each process.
export function take (data, all) {
  Object.assign(daemon, {
    now: data.now, heard: performance.now() / 1000, state: data.state ?? daemon.state
  })
  if (all) {
    Object.assign(daemon, { identifier: data.identifier, version: data.version, mayChange: data.mayChange })
    document.body.classList.toggle('viewer', !data.mayChange)
    pending.processes.clear()
    pending.lines.clear()
    pending.gone.clear()
    pending.all = true
  }
  for (const process of data.processes ?? []) {
    const key = `${process.group}:${process.name}`
    pending.gone.delete(key)
    pending.processes.set(key, process)
  }
  for (const key of data.gone ?? []) {
    pending.processes.delete(key)
    pending.gone.add(key)
  }
  for (const [key, line] of data.lines ?? []) pending.lines.set(key, line)
  if (!pending.asked) {
    pending.asked = true
    requestAnimationFrame(show)
  }
}

function show () {
  const { processes, gone, lines, all } = pending
  let moved = gone.size > 0
  if (all) for (const key of rows.keys()) if (!processes.has(key)) gone.add(key)
  if (processes.size) table()
  for (const key of gone) moved = remove(key) || moved
  for (const [key, process] of processes) moved = update(rows.get(key) ?? create(process), process, all) || moved
  for (const [key, line] of lines) {
    const row = rows.get(key)
    if (row && row.line !== line) row.cells.said.textContent = row.line = line
  }
  const keys = new Set([...processes.keys(), ...lines.keys(), ...gone])
  Object.assign(pending, { processes: new Map(), gone: new Set(), lines: new Map(), all: false, asked: false })
  if (moved || all) heard.dispatchEvent(new Event('moved'))
  heard.dispatchEvent(new CustomEvent('news', { detail: keys }))
}

function remove (key) {
  const row = rows.get(key)
  if (!row) return false
  watcher.unobserve(row.tr)
  seen.delete(row)
  row.tr.remove()
  rows.delete(key)
  return true
}

// Brings a row up to date; returns whether its state changed.
function update (row, process, all) {
  const before = row.state
  Object.assign(row, process)
  const moved = before !== row.state
  if (moved) {
    const { state } = row.cells
    state.className = TONES[row.state] ?? 'statusnominal'
    if (row.state === 'STARTING' || row.state === 'STOPPING') state.classList.add('moving')
    state.textContent = row.state.toLowerCase()
    if (before && !all) flash(row.tr)
  }
  describe(row)
  row.cells.description.title = row.error || ''
  if (process.line !== undefined && row.cells.said.textContent !== row.line) row.cells.said.textContent = row.line
  if (row.kind !== kind(row.state)) drawActions(row)
  for (const [channel, element] of Object.entries(row.links)) element.hidden = !row[channel]
  return moved
}

function flash (tr) {
  tr.classList.remove('flash')
  requestAnimationFrame(() => tr.classList.add('flash'))
}

// Seconds since 1970, by the daemon's clock.
export const now = () => daemon.now + performance.now() / 1000 - daemon.heard

function describe (row) {
  let text = row.description
  if (row.state === 'RUNNING' && row.start) text = `pid ${row.pid}, uptime ${uptime(Math.max(0, Math.floor(now() - row.start)))}`
  else if (row.state === 'BACKOFF' && row.error) text = row.error
  const cell = row.cells.description
  if (cell.textContent !== text) cell.textContent = text
}

// As Python shows a timedelta, and so Supervisor an uptime: "1 day, 2:03:04".
export function uptime (seconds) {
  const two = number => String(Math.floor(number) % 60).padStart(2, '0')
  const days = Math.floor(seconds / 86400)
  const clock = `${Math.floor(seconds / 3600) % 24}:${two(seconds / 60)}:${two(seconds)}`
  return days ? `${days} day${days === 1 ? '' : 's'}, ${clock}` : clock
}

function tick () {
  if (daemon.heard) for (const row of seen) describe(row)
}

// What can be done with a process in this state.
function kind (state) {
  return STARTABLE.has(state) ? 'start' : state === 'RUNNING' ? 'restart' : STOPPABLE.has(state) ? 'stop' : ''
}

// Shortens what the server wrote for those without scripts.
function relabel (row) {
  const [clear, out, err] = [...row.cells.actions.children].slice(daemon.mayChange ? -3 : -2)
  const links = daemon.mayChange ? [out, err] : [clear, out]
  if (daemon.mayChange) short(clear, 'Clear')
  row.links = { out: short(links[0], 'Stdout'), err: short(links[1], 'Stderr') }
}

function short (element, text) {
  element.title = element.textContent
  element.textContent = text
  if (text === 'Clear') element.classList.add('plain')
  return element
}

function drawActions (row) {
  const name = encodeURIComponent(row.spec)
  row.kind = kind(row.state)
  const act = (action, text) =>
    h('button', { formaction: `index.html?processname=${name}&action=${action}`, 'aria-disabled': row.busy ? 'true' : false }, text)
  const list = []
  if (daemon.mayChange) {
    const { kind } = row
    list.push(kind === 'start' ? act('start', 'Start') : kind === 'restart' ? act('restart', 'Restart') : '–')
    list.push(kind === 'restart' || kind === 'stop' ? act('stop', 'Stop') : '–')
    list.push(short(act('clearlog', 'Clear Log'), 'Clear'))
  }
  row.links = {
    out: short(h('a', { href: `logtail/${name}`, target: '_blank' }, 'Tail -f Stdout'), 'Stdout'),
    err: short(h('a', { href: `logtail/${name}/stderr`, target: '_blank' }, 'Tail -f Stderr'), 'Stderr')
  }
  list.push(row.links.out, row.links.err)
  const focused = row.cells.actions.contains(document.activeElement)
  row.cells.actions.replaceChildren(...list)
  offerRemoval(row)
  // Who works with the keyboard stays there.
  if (focused) $('button, a', row.cells.actions).focus()
}

function offerRemoval (row) {
  if (!daemon.mayChange || !daemon.twiddler || row.kind !== 'start') return
  const formaction = `index.html?processname=${encodeURIComponent(row.spec)}&action=remove`
  row.cells.actions.append(h('button', { formaction, class: 'plain', title: 'Remove…', 'aria-label': `Remove ${row.spec}` }, '×'))
}

// Programs can be removed here.
export function haveTwiddler () {
  daemon.twiddler = true
  for (const row of rows.values()) offerRemoval(row)
  heard.dispatchEvent(new Event('moved'))
}

// Marks a process while something is done with it.
export function busy (row, action) {
  row.busy = action
  if (action) row.tr.setAttribute('aria-busy', 'true')
  else row.tr.removeAttribute('aria-busy')
  for (const element of row.cells.actions.children) {
    if (element.localName !== 'button') continue
    // Not `disabled`, which would take the focus away.
    if (action) element.setAttribute('aria-disabled', 'true')
    else element.removeAttribute('aria-disabled')
  }
}

export const tbody = () => body
