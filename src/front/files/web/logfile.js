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
    return this.#ask({ headers: { Range: `bytes=${from}-${to - 1}` }, ...options })
  }

  // The last bytes.
  async end (number) {
    const now = await this.look()
    return this.size ? this.read(Math.max(0, this.size - number), this.size) : now
  }

  // Only how large it is, and whether it is still the same.
  look (options) {
    return this.#ask({ method: 'HEAD', ...options })
  }

  // Resolves to {from, bytes, anew}; `anew`: it is another file than before, or a shorter one.
  async #ask (options) {
    const response = await ask(this.url, options)
    const { headers, status } = response
    const bytes = status === 206 ? new Uint8Array(await response.arrayBuffer()) : new Uint8Array()
    const [, from, , size] = /(?:(\d+)-(\d+)|\*)\/(\d+)/.exec(headers.get('Content-Range') ?? '') ?? []
    const now = Number(size ?? headers.get('Content-Length'))
    const tag = headers.get('ETag')
    // A 416 may say nothing of the file but its size.
    const anew = (this.tag !== null && tag !== null && tag !== this.tag) || now < this.size
    if (tag !== null) this.tag = tag
    this.size = now
    return { from: Number(from ?? 0), bytes, anew }
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
