// The dialogs that add a group or a program, through twiddler.

import { button, dialog, h, say } from './dom.js'
import { call } from './rpc.js'
import { daemon, rows } from './table.js'

// Options of programs that the form asks for; [name, title, what an empty field means, width].
const TEXTS = [
  ['stdout_logfile', 'Log of stdout', 'AUTO'],
  ['stderr_logfile', 'Log of stderr', 'AUTO'],
  ['environment', 'Environment', 'KEY="value",…', 'wide'],
  ['directory', 'Directory', 'that of supervisord', 'wide']
]

const field = (label, element, kind = '') => h('label', { class: kind }, label, element)
const input = (name, attributes = {}) => h('input', { name, autocomplete: 'off', spellcheck: 'false', ...attributes })

// A form in a dialog; `submit` gets its fields and throws what it can't do.
function ask (title, verb, fields, submit) {
  const wrong = h('p', { class: 'complaint', role: 'alert', hidden: true })
  const send = h('button', { class: 'primary' }, verb)
  const form = h('form', {
    onsubmit: async event => {
      event.preventDefault()
      wrong.hidden = true
      send.disabled = true
      try {
        await submit(new FormData(form))
        box.close()
      } catch (error) {
        wrong.textContent = error.message
        wrong.hidden = false
      } finally {
        send.disabled = false
      }
    }
  }, h('div', { class: 'fields' }, ...fields), wrong,
  h('div', { class: 'foot' }, button('Cancel', () => box.close()), send))
  const box = dialog(title, form)
  return form
}

// Says how to switch it on, if it is not.
function missing () {
  if (daemon.twiddler) return false
  const form = h('form', { method: 'dialog' },
    h('p', {}, 'Adding programs is not switched on. These lines in the configuration do that:'),
    h('div', { class: 'empty' }, h('pre', {}, '[rpcinterface:twiddler]\nsupervisor.rpcinterface_factory = supervisor_twiddler.rpcinterface:make_twiddler_rpcinterface')),
    h('div', { class: 'foot' }, h('button', { class: 'primary' }, 'Close')))
  dialog('Add', form)
  return true
}

// A group without programs.
export function addGroup () {
  if (missing()) return
  ask('Add a group', 'Add group', [
    field('Name', input('name', { required: true, autofocus: true })),
    field('Priority', input('priority', { type: 'number', value: 999, required: true }))
  ], async data => {
    const name = data.get('name').trim()
    await call('twiddler.addGroup', name, Number(data.get('priority')))
    say(`Group ${name} added`)
    addProgram(name)
  })
}

// A program in a group that there is, or in a new one.
export async function addProgram (into = '') {
  if (missing()) return
  const names = await call('twiddler.getGroupNames').catch(() => [...new Set([...rows.values()].map(row => row.group))])
  const fresh = h('option', { value: '' }, 'New group…')
  const groups = h('select', { name: 'group', onchange: () => { label.hidden = !fresh.selected } },
    ...names.map(name => h('option', { value: name, selected: name === into }, name)), fresh)
  if (!into) fresh.selected = true
  const label = field('Name of the new group', input('new', { placeholder: 'that of the program' }), 'wide')
  label.hidden = !fresh.selected
  const check = (name, text, checked) => h('label', { class: 'check' }, h('input', { type: 'checkbox', name, checked }), text)
  ask('Add a program', 'Add program', [
    field('Name', input('name', { required: true, autofocus: true })),
    field('Group', groups),
    label,
    field('Command', input('command', { required: true, class: 'code' }), 'wide'),
    field('Restart it when it ends', h('select', { name: 'autorestart' },
      h('option', { value: 'unexpected' }, 'unexpectedly'), h('option', { value: 'true' }, 'always'), h('option', { value: 'false' }, 'never'))),
    field('Seconds until it counts as started', input('startsecs', { type: 'number', min: 0, value: 1, required: true })),
    ...TEXTS.map(([name, title, placeholder, kind]) => field(title, input(name, { placeholder, class: 'code' }), kind)),
    check('autostart', 'Start it now and with the group', true),
    h('details', { class: 'wide' }, h('summary', {}, 'More options'),
      h('textarea', { name: 'more', rows: 4, class: 'code', placeholder: 'stopsignal=INT\nnumprocs=2', 'aria-label': 'More options, one key=value a line', spellcheck: 'false' }))
  ], async data => {
    const name = data.get('name').trim()
    const options = read(data)
    const group = data.get('group') || data.get('new').trim() || name
    const made = !data.get('group')
    if (made) await call('twiddler.addGroup', group, 999)
    try {
      await call('twiddler.addProgramToGroup', group, name, options)
    } catch (error) {
      // What was begun is taken back, so that the next try begins as this one did.
      if (made) await call('supervisor.removeProcessGroup', group).catch(() => {})
      throw error
    }
    say(`Program ${name} added to group ${group}`)
  })
}

// The options that the form's fields stand for.
function read (data) {
  const options = {
    command: data.get('command'),
    autostart: data.has('autostart') ? 'true' : 'false',
    autorestart: data.get('autorestart'),
    startsecs: data.get('startsecs')
  }
  for (const [name] of TEXTS) if (data.get(name).trim()) options[name] = data.get(name)
  for (const line of data.get('more').split('\n')) {
    if (!line.trim() || /^\s*[;#]/.test(line)) continue
    const [, name, value] = /^\s*([^=\s]+)\s*=\s*(.*)$/.exec(line) ?? []
    if (!name) throw new Error(`More options: “${line.trim()}” is not key=value.`)
    options[name] = value
  }
  return options
}
