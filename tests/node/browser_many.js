// A thousand processes, and many open pages.
'use strict'
const assert = require('assert')
const fs = require('fs')
const http = require('http')
const { median, open, picture, rowOf, test, until, within } = require('./browser_lib.js')

const shown = page => page.evaluate(() => [...document.querySelectorAll('.processes tbody tr:not(.group)')].filter(row => !row.hidden).length)

test('a thousand processes: first paint, filter, order', async (browser, { thousand }) => {
  const page = await open(browser, thousand)
  const paints = []
  for (let i = 0; i < 5; i++) {
    paints.push(await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0].startTime))
    await page.reload()
    await until('the stream', () => page.evaluate(() => document.documentElement.classList.contains('live')))
  }
  console.log(`figure: milliseconds until the first paint in a new process of the browser: ${paints[0].toFixed(0)}`)
  within('milliseconds until the first paint of 1,000 processes', median(paints), 200)
  assert.strictEqual(await shown(page), 1000)
  // The rows are those of the server.
  assert.strictEqual(await page.evaluate(() => document.querySelectorAll('.processes tbody tr').length >= 1000), true)
  await page.keyboard.press('/')
  await page.keyboard.type('many_042')
  await until('ten of them', async () => await shown(page) === 10)
  assert.strictEqual(await page.getByText('10 of 1,000 shown').count(), 1)
  await until('the address', () => page.url().includes('q=many_042'))
  await page.reload()
  await until('ten of them', async () => await shown(page) === 10)
  await page.keyboard.press('Escape')
  await until('all', async () => await shown(page) === 1000)

  // Up to the next frame.
  const time = act => page.evaluate(async act => {
    const input = document.querySelector('.tools input[type=search]')
    const began = performance.now()
    if (act.startsWith('type ')) {
      input.value = act.slice(5)
      input.dispatchEvent(new Event('input'))
    } else [...document.querySelectorAll('th button')].find(button => button.textContent === act).click()
    await new Promise(resolve => requestAnimationFrame(() => setTimeout(resolve)))
    return performance.now() - began
  }, act)
  const figures = { filter: [], order: [] }
  for (const word of ['1', '12', 'many_0', 'nobody', '']) figures.filter.push(await time(`type ${word}`))
  for (const title of ['State', 'State', 'Description', 'Name', 'Name', 'Name']) figures.order.push(await time(title))
  within('milliseconds to filter 1,000 processes', median(figures.filter), 50)
  within('milliseconds to order 1,000 processes', median(figures.order), 50)
  await time('State')
  await time('State')
  await picture(page, 'thousand')
  // One state only.
  await page.getByRole('button', { name: /^running \d/ }).click()
  await until('those that run', async () => await shown(page) === 20)
  await page.done()
})

test('a state change is seen at once among a thousand', async (browser, { thousand }) => {
  const page = await open(browser, `${thousand}#processes?state=running`)
  await rowOf(page, 'many:many_0003').waitFor()
  await page.evaluate(() => {
    globalThis.seen = []
    new MutationObserver(list => {
      for (const { target } of list) {
        const row = target.closest?.('tr')
        if (row?.row?.spec === 'many:many_0003') globalThis.seen.push([row.row.state, performance.timeOrigin + performance.now()])
      }
    }).observe(document.querySelector('tbody'), { subtree: true, childList: true, characterData: true })
  })
  const times = []
  for (let i = 0; i < 3; i++) {
    const pid = Number(await until('its pid', async () => /^pid (\d+)/.exec(await rowOf(page, 'many:many_0003').locator('td').nth(1).innerText())?.[1]))
    await page.evaluate(() => { globalThis.seen.length = 0 })
    const killed = performance.timeOrigin + performance.now()
    process.kill(pid, 'SIGKILL')
    const at = await until('the change', () => page.evaluate(() => globalThis.seen.find(([state]) => state !== 'RUNNING')?.[1]))
    times.push(at - killed)
    // It is restarted.
    await until('another process', async () => {
      const now = /^pid (\d+)/.exec(await rowOf(page, 'many:many_0003').locator('td').nth(1).innerText())?.[1]
      return now && Number(now) !== pid
    })
  }
  within('milliseconds until a killed child is seen', median(times), 100)
  await page.done()
})

test('fifty open pages cost nothing', async (browser, { thousand, thousandPid }) => {
  const ticks = () => {
    const fields = fs.readFileSync(`/proc/${thousandPid}/stat`, 'utf8').split(') ')[1].split(' ')
    return Number(fields[11]) + Number(fields[12])
  }
  const streams = await Promise.all(Array.from({ length: 50 }, () => new Promise((resolve, reject) => {
    const request = http.get(new URL('live', thousand), { agent: false }, answer => {
      answer.once('data', () => { answer.resume(); resolve(request) })
    }).on('error', reject)
    request.on('close', () => {})
  })))
  // What came at first is over.
  await new Promise(resolve => setTimeout(resolve, 500))
  const before = ticks()
  await new Promise(resolve => setTimeout(resolve, 2000))
  // A tick is 10 ms.
  within('percent of a processor for 50 idle pages', (ticks() - before) * 10 / 2000 * 100, 1)
  for (const stream of streams) stream.on('error', () => {}).destroy()
})

test('a daemon that is gone comes back', async (browser, { plain, folder }) => {
  const page = await open(browser, plain, { allow: /ERR_|Failed to load/ })
  const before = await page.evaluate(() => document.querySelector('#stream').textContent)
  assert.strictEqual(before, 'live')
  await page.evaluate(async () => (await import('/web/rpc.js')).call('supervisor.restart'))
  await until('waiting', async () => await page.evaluate(() => document.querySelector('#stream').textContent) === 'reconnecting…')
  await until('living', async () => await page.evaluate(() => document.querySelector('#stream').textContent) === 'live', 20)
  await page.done()
})

