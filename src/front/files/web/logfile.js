// A log on the server, read in pieces (RFC 9110, 14): nothing of it is kept here.

import { ask } from './rpc.js'

export class LogFile {
  // `key`: `group:name`, or '' for the main log.
  constructor (key, channel) {
    this.url = key ? `log/${encodeURIComponent(key)}/${channel}` : 'mainlog'
    this.size = 0
    this.tag = null
  }

  // The bytes from `from` to before `to`; fewer if the file or the server's patience ends.
  read (from, to, options) {
    return this.#get(`bytes=${from}-${to - 1}`, from, options)
  }

  // The last bytes.
  end (number, options) {
    return this.#get(`bytes=-${number}`, null, options)
  }

  // Resolves to {from, bytes, anew}; `anew`: it is another file than before, or a shorter one.
  async #get (range, from, options = {}) {
    const response = await ask(this.url, { headers: { Range: range }, ...options })
    const tag = response.headers.get('ETag')
    const [, first, size] = /(\d+)-\d+\/(\d+)|\*\/(\d+)/.exec(response.headers.get('Content-Range') ?? '') ?? []
    const bytes = response.status === 416 ? new Uint8Array() : new Uint8Array(await response.arrayBuffer())
    const whole = response.status === 200 ? bytes.length : 0
    const now = Number(size ?? /\*\/(\d+)/.exec(response.headers.get('Content-Range'))?.[1] ?? whole)
    // A 416 may say nothing of the file but its size.
    const anew = (this.tag !== null && tag !== null && tag !== this.tag) || now < this.size
    if (tag !== null) this.tag = tag
    this.size = now
    return { from: first === undefined ? from ?? 0 : Number(first), bytes, anew }
  }
}

const decoder = new TextDecoder()
export const decode = bytes => decoder.decode(bytes)
export const LF = 10

// Where a piece may be cut at its end, so that no character of UTF-8 falls apart.
export function seam (bytes) {
  let end = bytes.length
  for (let back = 1; back <= 3 && back < end; back++) {
    const byte = bytes[end - back]
    if ((byte & 0xc0) === 0x80) continue
    if (byte >= 0xc0) {
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
      if (length > back) end -= back
    }
    break
  }
  return end
}
