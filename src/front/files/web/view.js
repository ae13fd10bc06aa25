// Which rows of the table are shown, and in which order: filter, states, columns, groups.

import { $, button, count, h, later, link, place } from './dom.js'
import { rows, heard, tbody, daemon } from './table.js'

// Troubles first.
const ORDER = ['FATAL', 'BACKOFF', 'UNKNOWN', 'EXITED', 'STARTING', 'STOPPING', 'RUNNING', 'STOPPED']
const TONES = { RUNNING: 'good', FATAL: 'bad', BACKOFF: 'bad', STARTING: 'warn', STOPPING: 'warn' }
const text = (a, b) => (a < b ? -1 : a > b ? 1 : 0)
const byName = (a, b) => text(a.group, b.group) || text(a.name, b.name)
const COLUMNS = {
  state: { title: 'State', compare: (a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state) },
  uptime: { title: 'Description', compare: (a, b) => since(b) - since(a) },
  name: { title: 'Name', compare: byName }
}
// Longest-running last, so that turning the column round shows it first; what doesn't run comes behind.
const since = row => (row.state === 'RUNNING' ? row.start || 0 : -1)

const wanted = { words: [], states: new Set(), sort: 'name', down: false, grouped: null }
const folded = new Set(remembered())
const groups = new Map()
const states = new Map()
let field, chips, grouping, summary
let late = false

function remembered () {
  try { return JSON.parse(sessionStorage.folded) } catch { return [] }
}

// Makes the tools above the table.
export function start (tools) {
  field = h('input', { type: 'search', placeholder: 'Filter processes', 'aria-label': 'Filter processes', 'aria-keyshortcuts': '/', oninput: typed, spellcheck: 'false', autocomplete: 'off' })
  chips = h('div', { class: 'bar', role: 'group', 'aria-label': 'Show only these states' })
  grouping = button('Groups', () => {
    wanted.grouped = !grouped()
    arrange()
    remember()
  }, { title: 'Put the processes of a group together' })
  summary = h('span', { class: 'unseen', role: 'status' })
  tools.prepend(field, chips, grouping, summary)
  heads()
  heard.addEventListener('table', heads)
  heard.addEventListener('moved', () => {
    counts()
    // Rows must not run away from a hand that is about to press a button.
    if (wanted.sort === 'name' || !tbody()?.matches(':hover, :focus-within')) arrange()
    else late = true
  })
  fromAddress()
  counts()
  arrange()
}

// Reads filter and order out of the address.
export function fromAddress () {
  const { view, query } = place()
  if (view !== 'processes') return
  const sort = query.get('sort') ?? 'name'
  wanted.down = sort.startsWith('-')
  wanted.sort = Object.hasOwn(COLUMNS, sort.replace(/^-/, '')) ? sort.replace(/^-/, '') : 'name'
  wanted.states = new Set((query.get('state') ?? '').toUpperCase().split(' ').filter(Boolean))
  wanted.grouped = query.has('groups') ? query.get('groups') === 'yes' : null
  field.value = query.get('q') ?? ''
  wanted.words = field.value.toLowerCase().split(/\s+/).filter(Boolean)
}

// Puts them back there, without a step in the history.
const remember = later(() => {
  if (place().view !== 'processes') return
  history.replaceState(null, '', address())
}, 300)

// The address of the table as it is shown.
export function address () {
  return link('processes', {
    q: field.value,
    state: [...wanted.states].join(' ').toLowerCase(),
    sort: wanted.sort === 'name' && !wanted.down ? '' : (wanted.down ? '-' : '') + wanted.sort,
    groups: wanted.grouped === null ? '' : wanted.grouped ? 'yes' : 'no'
  })
}

function typed () {
  wanted.words = field.value.toLowerCase().split(/\s+/).filter(Boolean)
  arrange()
  remember()
}

// The field of the filter, for who wants to type there.
export const focus = () => field.select()

// Empties the filter; returns whether there was anything.
export function reset () {
  if (!field.value && !wanted.states.size) return false
  field.value = ''
  wanted.states.clear()
  counts()
  typed()
  return true
}

// Columns that sort.
function heads () {
  const cells = $('.processes thead tr')?.cells
  if (!cells) return
  for (const cell of cells) cell.setAttribute('role', 'columnheader')
  cells[0].parentNode.setAttribute('role', 'row')
  $('.processes').setAttribute('role', 'table')
  for (const part of $('.processes').children) part.setAttribute('role', 'rowgroup')
  Object.keys(COLUMNS).forEach((column, index) => {
    cells[index].replaceChildren(button(COLUMNS[column].title, () => {
      wanted.down = wanted.sort === column && !wanted.down
      wanted.sort = column
      arrange()
      remember()
    }))
  })
  tbody().addEventListener('pointerleave', () => { if (late) arrange() })
}

// A button for each state that there is, with its number.
function counts () {
  const numbers = new Map(ORDER.map(state => [state, 0]))
  for (const { state } of rows.values()) numbers.set(state, (numbers.get(state) ?? 0) + 1)
  for (const [state, number] of numbers) {
    let chip = states.get(state)
    if (!chip) {
      chip = button('', () => {
        if (!wanted.states.delete(state)) wanted.states.add(state)
        counts()
        arrange()
        remember()
      }, { class: 'chip dot', 'data-tone': TONES[state] })
      states.set(state, chip)
      chips.append(chip)
    }
    const text = `${state.toLowerCase()} ${count(number)}`
    if (chip.textContent !== text) chip.textContent = text
    chip.setAttribute('aria-pressed', String(wanted.states.has(state)))
    chip.hidden = !number && !wanted.states.has(state)
  }
}

function grouped () {
  if (wanted.grouped !== null) return wanted.grouped
  const sizes = new Set()
  for (const { group, name } of rows.values()) {
    if (group !== name || sizes.has(group)) return true
    sizes.add(group)
  }
  return false
}

const matches = row => {
  if (wanted.states.size && !wanted.states.has(row.state)) return false
  if (!wanted.words.length) return true
  const found = `${row.spec} ${row.pid || ''} ${row.state}`.toLowerCase()
  return wanted.words.every(word => found.includes(word))
}

// Puts everything in its place.
function arrange () {
  late = false
  const body = tbody()
  if (!body) return
  const { compare } = COLUMNS[wanted.sort]
  const sign = wanted.down ? -1 : 1
  const list = [...rows.values()].sort((a, b) => sign * compare(a, b) || byName(a, b))
  const together = grouped()
  const nodes = []
  let shown = 0
  const parts = new Map()
  for (const row of list) {
    row.fits = matches(row)
    if (row.fits) shown++
    if (!together) {
      row.tr.classList.remove('in')
      row.tr.hidden = !row.fits
      nodes.push(row.tr)
    } else if (parts.has(row.group)) parts.get(row.group).push(row)
    else parts.set(row.group, [row])
  }
  for (const [name, members] of parts) {
    const headed = members.length > 1 || members[0].name !== name
    if (headed) nodes.push(header(name, members))
    for (const row of members) {
      row.tr.classList.toggle('in', headed)
      row.tr.hidden = !row.fits || (headed && folded.has(name))
      nodes.push(row.tr)
    }
  }
  for (const [name, group] of groups) {
    if (!together || !parts.has(name)) {
      group.tr.remove()
      groups.delete(name)
    }
  }
  put(body, nodes)
  grouping.setAttribute('aria-pressed', String(together))
  Object.keys(COLUMNS).forEach((column, index) => {
    const cell = $('.processes thead tr').cells[index]
    if (column === wanted.sort) cell.setAttribute('aria-sort', wanted.down ? 'descending' : 'ascending')
    else cell.removeAttribute('aria-sort')
  })
  if (wanted.words.length || wanted.states.size) summary.textContent = `${count(shown)} of ${count(rows.size)} shown`
  else summary.textContent = ''
  nothing(shown)
}

function put (body, nodes) {
  const focused = document.activeElement
  let next = body.firstChild
  for (const node of nodes) {
    if (node === next) next = next.nextSibling
    // The newer one keeps what the browser knows of the row.
    else if (body.moveBefore && node.parentNode === body) body.moveBefore(node, next)
    else body.insertBefore(node, next)
  }
  if (focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true })
}

function header (name, members) {
  let group = groups.get(name)
  if (!group) {
    const fold = button(name, () => {
      if (!folded.delete(name)) folded.add(name)
      sessionStorage.folded = JSON.stringify([...folded])
      arrange()
    })
    const note = h('span', { class: 'quiet' })
    const acts = h('td', { role: 'cell' }, ...['Restart', 'Stop', 'Start', 'Remove…'].map(verb =>
      h('button', { 'data-group': name, 'data-verb': verb.toLowerCase().replace('…', ''), 'aria-label': `${verb} group ${name}` }, verb)))
    group = { fold, note, acts, tr: h('tr', { class: 'group', role: 'row' }, h('th', { role: 'cell', colspan: 4 }, fold, note), acts) }
    groups.set(name, group)
  }
  const runs = members.filter(row => row.state === 'RUNNING').length
  const fits = members.filter(row => row.fits).length
  group.fold.setAttribute('aria-expanded', String(!folded.has(name)))
  group.note.textContent = `${runs} of ${members.length} running`
  group.acts.hidden = !daemon.mayChange
  // Only what was stopped can be removed.
  const still = members.every(row => ['STOPPED', 'EXITED', 'FATAL'].includes(row.state))
  group.acts.lastChild.hidden = !still || !daemon.twiddler
  group.tr.hidden = !fits
  return group.tr
}

function nothing (shown) {
  let note = $('#nothing')
  if (!note) {
    note = h('p', { class: 'empty', id: 'nothing' }, 'No process is like that. ', button('Show all', reset))
    $('.processes').after(note)
  }
  note.hidden = shown > 0 || !rows.size
}
