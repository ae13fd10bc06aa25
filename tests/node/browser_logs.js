// The log view in the browser.
'use strict'
const assert = require('assert')
const fs = require('fs')
const path = require('path')
const { accessible, open, picture, rowOf, test, toast, until, within } = require('./browser_lib.js')

const lines = page => page.locator('.lines')
const text = page => lines(page).innerText()
const says = (page, wanted) => until(`the log says ${wanted}`, async () => (await text(page)).includes(wanted))
const atBottom = page => lines(page).evaluate(box => box.scrollHeight - box.scrollTop - box.clientHeight < 3)
const hits = page => page.locator('#log [role=status]').innerText()

test('a log is followed, paused, cleared', async (browser, { main, folder }) => {
  const page = await open(browser, main)
  const log = path.join(folder, 'sleeper.log')
  fs.writeFileSync(log, Array.from({ length: 300 }, (_, i) => `line ${i}\n`).join(''))
  await rowOf(page, 'sleeper').getByRole('link', { name: 'Stdout' }).click()
  await says(page, 'line 299')
  assert.ok(await atBottom(page))
  fs.appendFileSync(log, 'the newest ')
  await says(page, 'the newest')
  fs.appendFileSync(log, 'of all\n')
  await says(page, 'the newest of all')
  await until('the end of it', () => atBottom(page))

  await page.getByRole('button', { name: 'Follow', exact: true }).click()
  fs.appendFileSync(log, 'not seen yet\n')
  // Longer than it would take.
  await page.waitForTimeout(600)
  assert.ok(!(await text(page)).includes('not seen yet'))
  await page.getByRole('button', { name: '↓ Follow' }).click()
  await says(page, 'not seen yet')
  // Who scrolls up is left alone.
  await lines(page).hover()
  await page.mouse.wheel(0, -500)
  await until('pausing', async () => await page.getByRole('button', { name: 'Follow', exact: true }).getAttribute('aria-pressed') === 'false')
  await lines(page).focus()
  await page.keyboard.press('End')
  await until('following', async () => await page.getByRole('button', { name: 'Follow', exact: true }).getAttribute('aria-pressed') === 'true')

  // A rotation, then a truncation.
  fs.renameSync(log, `${log}.1`)
  fs.writeFileSync(log, 'after the rotation\n')
  await says(page, 'after the rotation')
  await says(page, 'The log begins anew.')
  await page.getByRole('button', { name: 'Clear', exact: true }).click()
  await toast(page, 'Log for sleeper cleared')
  await says(page, 'The log was cleared.')
  fs.appendFileSync(log, 'a new beginning\n')
  await says(page, 'a new beginning')

  // The other output, other logs.
  await page.getByRole('button', { name: 'stderr' }).click()
  await until('stderr', () => page.url().includes('channel=stderr'))
  await page.getByRole('combobox', { name: 'Log' }).selectOption('')
  await says(page, 'supervisord started with pid')
  await page.goBack()
  await until('the log before', async () => !(await text(page)).includes('supervisord started'))
  await page.done()
})

test('colours, broken text and other escapes', async (browser, { main, folder }) => {
  fs.writeFileSync(path.join(folder, 'sleeper.log'), Buffer.concat([
    Buffer.from('\x1b[1;31mred and bold\x1b[0m plain \x1b[38;5;208morange\x1b[39m \x1b[38;2;1;2;3mtrue\x1b[m \x1b[42mon green\x1b[0m\n'),
    Buffer.from('\x1b[34mblue goes on\nhere\x1b[0m and ends\r\n\x1b]0;a title\x07kept \x1b[2Kline\x1b(B \x00 nul\n'),
    Buffer.from([0x62, 0x61, 0x64, 0x20, 0xff, 0xc3, 0x20]), Buffer.from('grüße 日本 😀\n')
  ]))
  const page = await open(browser, `${main}#log?name=sleeper%3Asleeper`)
  await says(page, 'grüße 日本 😀')
  const seen = await text(page)
  assert.ok(seen.includes('red and bold plain orange true on green\nblue goes on\nhere and ends\nkept line ␀ nul\nbad \ufffd\ufffd grüße'), seen)
  const style = wanted => page.evaluate(wanted => {
    const span = [...document.querySelectorAll('.lines span')].find(span => span.textContent === wanted)
    const { color, backgroundColor, fontWeight } = getComputedStyle(span)
    return { color, backgroundColor, fontWeight }
  }, wanted)
  assert.strictEqual((await style('red and bold')).color, 'rgb(180, 35, 44)')
  assert.strictEqual((await style('red and bold')).fontWeight, '700')
  assert.strictEqual((await style('orange')).color, 'rgb(255, 135, 0)')
  assert.strictEqual((await style('true')).color, 'rgb(1, 2, 3)')
  assert.strictEqual((await style('on green')).backgroundColor, 'rgb(15, 112, 56)')
  assert.strictEqual((await style('here')).color, (await style('blue goes on')).color)
  // Looking for what is shown, whatever stands between in the file.
  const field = page.getByRole('searchbox', { name: 'Search this log' })
  const finds = async (text, wanted) => {
    await field.fill(text)
    await until(`${text}: ${wanted}`, async () => (await hits(page)).trim() === wanted)
  }
  await finds('BOLD plain OR', '1 of 1')
  await page.getByRole('button', { name: 'Match case' }).click()
  await until('no hit', async () => (await hits(page)).trim() === 'not found')
  await finds('日本', '1 of 1')
  await finds('a.d', 'not found')
  await page.getByRole('button', { name: 'Regular expression' }).click()
  await until('more hits', async () => /of 2$/.test((await hits(page)).trim()))
  await finds('^[a-z]+ [a-z ]+ends$', '1 of 1')
  await finds('(', 'not an expression')
  assert.strictEqual(await page.evaluate(() => CSS.highlights.size), 0)
  await page.done()
})

test('a log of 100 MB', async (browser, { main, folder }) => {
  const log = path.join(folder, 'sleeper.log')
  const file = fs.openSync(log, 'w')
  const total = 1000000
  for (let i = 0; i < total; i += 10000) {
    fs.writeSync(file, Array.from({ length: 10000 }, (_, j) => {
      const head = `${String(i + j).padStart(7, '0')} ${(i + j) % 100003 === 50000 ? 'a \x1b[31mNeedle\x1b[0m in' : 'more of'} the hay `
      return `${head.padEnd(104, '.')}\n`
    }).join(''))
  }
  fs.closeSync(file)
  assert.ok(fs.statSync(log).size > 100e6)

  const began = Date.now()
  const page = await open(browser, `${main}#log?name=sleeper%3Asleeper`)
  await says(page, '0999999 ')
  within('milliseconds until the end of 100 MB is seen', Date.now() - began, 1000)
  const kept = () => page.evaluate(() => [document.querySelectorAll('.lines div div').length, performance.memory.usedJSHeapSize])
  assert.ok((await kept())[0] < 9000)

  const from = Date.now()
  await page.getByRole('searchbox', { name: 'Search this log' }).fill('needle')
  await until('all hits', async () => /^\d+ of 10$/.test((await hits(page)).trim()), 60)
  within('milliseconds to search 100 MB', Date.now() - from, 6000)
  const marked = () => page.evaluate(() => [...CSS.highlights.get('now') ?? []].map(range => {
    const line = range.startContainer.parentNode?.closest('.lines div div')
    const { top, bottom } = range.getBoundingClientRect()
    const box = document.querySelector('.lines').getBoundingClientRect()
    return `${range} ${line?.textContent.slice(0, 7)} ${top >= box.top && bottom <= box.bottom}`
  }).join())
  await until('the last hit', async () => await marked() === 'Needle 0950027 true')
  await page.getByRole('button', { name: 'Next hit' }).click()
  await until('the first hit', async () => await marked() === 'Needle 0050000 true')
  assert.strictEqual((await hits(page)).trim(), '1 of 10')
  await picture(page, 'log-search')
  await page.getByRole('searchbox', { name: 'Search this log' }).press('Shift+Enter')
  await until('the last hit', async () => await marked() === 'Needle 0950027 true')
  // A search that is stopped stops.
  await page.getByRole('searchbox', { name: 'Search this log' }).fill('nowhere at all')
  await page.getByRole('button', { name: 'Stop searching' }).click()
  await page.getByRole('searchbox', { name: 'Search this log' }).fill('')

  // To the start, on through the file, anywhere.
  await page.getByRole('button', { name: 'Start', exact: true }).click()
  await says(page, '0000000 ')
  const edge = which => lines(page).evaluate(which)
  for (let i = 0; i < 12; i++) {
    const before = await edge(box => box.lastChild.lastChild.textContent)
    await lines(page).evaluate(box => { box.scrollTop = box.scrollHeight })
    await until('more of it', async () => await edge(box => box.lastChild.lastChild.textContent) !== before)
  }
  assert.ok((await kept())[0] < 9000)
  const numbers = (await text(page)).split('\n').filter(Boolean).map(line => Number(line.slice(0, 7)))
  assert.ok(numbers.length > 4000 && numbers.every((number, i) => !i || number === numbers[i - 1] + 1), 'no line is missing')
  await page.getByRole('slider', { name: 'Place in the log' }).fill('500')
  await says(page, '0500000 ')
  for (let i = 0; i < 12; i++) {
    const before = await edge(box => box.firstChild.firstChild.textContent)
    await lines(page).evaluate(box => { box.scrollTop = 0 })
    await until('more of it', async () => await edge(box => box.firstChild.firstChild.textContent) !== before)
  }
  const up = (await text(page)).split('\n').filter(Boolean).map(line => Number(line.slice(0, 7)))
  assert.ok(up[0] < 495000 && up.every((number, i) => !i || number === up[i - 1] + 1), 'no line is missing')
  const [, heap] = await kept()
  within('megabytes of the page that shows 100 MB', heap / 1e6, 60)
  fs.writeFileSync(log, '')
  await page.done()
})

test('a picture of a log, and that everybody can read it', async (browser, { main }) => {
  for (const colorScheme of ['light', 'dark']) {
    const page = await open(browser, `${main}#log?name=talk%3Atalk_0`, { colorScheme })
    await says(page, 'words of talk_0')
    await accessible(page, `the log, ${colorScheme}`)
    await picture(page, `log-${colorScheme}`)
    await page.done()
  }
})
