// Values of XML-RPC with their types, as {type, value}: from and to XML, from and to text that people edit.
//
// The text is JSON with two additions, dateTime("…") and base64("…"). A number with a point or an exponent is a double.

const escape = text => text.replace(/[&<>\r]/g, c => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '\r': '&#13;' })[c])
const children = (element, name) => [...element.children].filter(child => child.localName === name)

// Reads a <value> element.
export function fromXml (element) {
  const inner = element.firstElementChild
  if (!inner) return { type: 'string', value: element.textContent }
  const text = inner.textContent
  switch (inner.localName) {
    case 'string': return { type: 'string', value: text }
    case 'int': case 'i4': case 'i8': return { type: 'int', value: text.trim() }
    case 'double': return { type: 'double', value: text.trim() }
    case 'boolean': return { type: 'boolean', value: text.trim() === '1' }
    case 'dateTime.iso8601': return { type: 'dateTime', value: text.trim() }
    case 'base64': return { type: 'base64', value: text.replace(/\s+/g, '') }
    case 'array': return { type: 'array', value: children(inner.firstElementChild, 'value').map(fromXml) }
    case 'struct': return {
      type: 'struct',
      value: children(inner, 'member').map(member =>
        [children(member, 'name')[0].textContent, fromXml(children(member, 'value')[0])])
    }
    default: return { type: 'nil', value: null }
  }
}

// Writes a <value> element.
export function toXml ({ type, value }) {
  const inner = {
    string: () => `<string>${escape(value)}</string>`,
    int: () => `<${long(value) ? 'i8' : 'int'}>${value}</${long(value) ? 'i8' : 'int'}>`,
    double: () => `<double>${escape(value)}</double>`,
    boolean: () => `<boolean>${value ? 1 : 0}</boolean>`,
    dateTime: () => `<dateTime.iso8601>${escape(value)}</dateTime.iso8601>`,
    base64: () => `<base64>${escape(value)}</base64>`,
    nil: () => '<nil/>',
    array: () => `<array><data>${value.map(toXml).join('')}</data></array>`,
    struct: () => `<struct>${value.map(([name, item]) =>
      `<member><name>${escape(name)}</name>${toXml(item)}</member>`).join('')}</struct>`
  }[type]()
  return `<value>${inner}</value>`
}

const long = digits => Math.abs(Number(digits)) > 0x7fffffff

// The typed value for a plain one.
export function typed (value) {
  if (value === null) return { type: 'nil', value }
  if (Array.isArray(value)) return { type: 'array', value: value.map(typed) }
  switch (typeof value) {
    case 'boolean': return { type: 'boolean', value }
    case 'number': return { type: Number.isInteger(value) ? 'int' : 'double', value: String(value) }
    case 'object': return { type: 'struct', value: Object.entries(value).map(([name, item]) => [name, typed(item)]) }
    default: return { type: 'string', value: String(value) }
  }
}

// The plain value of a typed one.
export function plain ({ type, value }) {
  switch (type) {
    case 'int': case 'double': return Number(value)
    case 'array': return value.map(plain)
    // Without a prototype, so that a member may be called anything.
    case 'struct': return value.reduce((all, [name, item]) => { all[name] = plain(item); return all }, Object.create(null))
    default: return value
  }
}

// As text. `indent` is that of the first line; without it everything is on one.
export function print ({ type, value }, indent = null) {
  const inner = indent === null ? null : `${indent}  `
  const list = (open, items, close) => {
    if (!items.length) return open + close
    return indent === null
      ? open + items.join(', ') + close
      : `${open}\n${items.map(item => inner + item).join(',\n')}\n${indent}${close}`
  }
  switch (type) {
    case 'string': return JSON.stringify(value)
    case 'double': return /^-?\d+$/.test(value) ? `${value}.0` : value
    case 'nil': return 'null'
    case 'dateTime': case 'base64': return `${type}(${JSON.stringify(value)})`
    case 'array': return list('[', value.map(item => print(item, inner)), ']')
    case 'struct': return list('{', value.map(([name, item]) => `${JSON.stringify(name)}: ${print(item, inner)}`), '}')
    default: return String(value)
  }
}

const TOKEN = /\s*(?:("(?:[^"\\]|\\.)*")|(-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)|(true|false|null|dateTime|base64)|([[\]{}(),:]))\s*/y

// Reads such text; throws an error that says where it is wrong.
export function parse (text) {
  let at = 0
  let token = null
  const wrong = () => { throw new Error(`Not a value: ${at < text.length ? `see “${text.slice(at, at + 20)}”` : 'it ends too early'}`) }
  const next = () => {
    TOKEN.lastIndex = at
    token = TOKEN.exec(text)
    if (!token) wrong()
    at = TOKEN.lastIndex
    return token
  }
  const sign = wanted => { if (next()[4] !== wanted) wrong() }
  const string = () => { try { return JSON.parse(token[1]) } catch { return wrong() } }
  const peek = () => { const before = at; next(); at = before; return token[4] }
  const list = (close, item) => {
    const items = []
    if (peek() === close) return next() && items
    for (;;) {
      items.push(item())
      if (next()[4] === close) return items
      if (token[4] !== ',') wrong()
    }
  }
  const value = () => {
    const [, quoted, number, word, mark] = next()
    if (quoted) return { type: 'string', value: string() }
    if (number) return { type: /[.eE]/.test(number) ? 'double' : 'int', value: number }
    if (word === 'null') return { type: 'nil', value: null }
    if (word === 'true' || word === 'false') return { type: 'boolean', value: word === 'true' }
    if (word) {
      sign('(')
      if (!next()[1]) wrong()
      const inner = { type: word, value: string() }
      sign(')')
      return inner
    }
    if (mark === '[') return { type: 'array', value: list(']', value) }
    if (mark !== '{') wrong()
    return {
      type: 'struct',
      value: list('}', () => {
        if (!next()[1]) wrong()
        const name = string()
        sign(':')
        return [name, value()]
      })
    }
  }
  const result = value()
  if (at < text.length) wrong()
  return result
}

// How many bytes it takes, about: those of its text in UTF-8.
export function bytes ({ type, value }) {
  if (type === 'string') return new TextEncoder().encode(value).length
  if (type === 'base64') return Math.floor(value.replace(/=+$/, '').length * 3 / 4)
  return print({ type, value }).length
}
