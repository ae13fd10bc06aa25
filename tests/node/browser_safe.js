// Hostile text, strangers, viewers, every window and scheme, and that everybody can use the page.
'use strict'
const assert = require('assert')
const fs = require('fs')
const path = require('path')
const { accessible, open, picture, rowOf, stateIs, test, toast, until } = require('./browser_lib.js')

const EVIL = '<img src=x onerror="globalThis.harm=1"><script>globalThis.harm=1</script>'

// Nothing of it became an element.
const unharmed = async page => assert.deepStrictEqual(await page.evaluate(() =>
  [globalThis.harm, document.querySelectorAll('img[src=x], script:not([src])').length]), [undefined, 0])

test('hostile text is text', async (browser, { main, folder, evil }) => {
  // In a process's name and its description, in its last line, in a message.
  fs.writeFileSync(path.join(folder, 'evil.log'), `${EVIL}\n\x1b]8;;javascript:alert(1)\x07link\x1b]8;;\x07 \x1b[38;2;"><b>1mx\n${EVIL}\n`)
  const page = await open(browser, `${main}?message=${encodeURIComponent(EVIL)}`)
  assert.strictEqual(await page.locator('.status_msg').innerText(), EVIL)
  assert.ok(!page.url().includes('message'), 'a message is for once')
  await stateIs(page, evil, 'stopped')
  await rowOf(page, evil).getByRole('button', { name: 'Start' }).click()
  await toast(page, `Process ${evil} started`)
  await until('its last line', async () => (await rowOf(page, evil).locator('td').nth(3).innerText()) === EVIL)
  await page.getByRole('searchbox', { name: 'Filter processes' }).fill(evil.toUpperCase())
  assert.strictEqual(await rowOf(page, evil).isVisible(), true)
  await unharmed(page)
  await picture(page, 'hostile')
  // In its log.
  await rowOf(page, evil).getByRole('link', { name: 'Stdout' }).click()
  await until('its log', async () => (await page.locator('.lines').innerText()).includes(EVIL))
  assert.strictEqual(await page.getByRole('combobox', { name: 'Log' }).evaluate(select => select.selectedOptions[0].textContent), evil)
  await page.getByRole('searchbox', { name: 'Search this log' }).fill(EVIL)
  await until('hits', async () => /of [23]$/.test((await page.locator('#log [role=status]').innerText()).trim()))
  await unharmed(page)
  await page.getByRole('button', { name: 'Clear', exact: true }).click()
  await toast(page, `Log for ${evil} cleared`)
  await page.getByRole('link', { name: 'Processes' }).click()
  await rowOf(page, evil).getByRole('button', { name: 'Stop' }).click()
  await toast(page, `Process ${evil} stopped`)

  // In the cache, and in faults.
  await page.getByRole('link', { name: 'Cache' }).click()
  await page.getByRole('button', { name: 'New key…' }).click()
  await page.getByLabel('Key', { exact: true }).fill(EVIL)
  await page.getByLabel('Value', { exact: true }).fill(`${EVIL} & ]]> &amp;`)
  await page.getByRole('button', { name: 'Store' }).click()
  await toast(page, `Stored ${EVIL}`)
  await page.reload()
  await page.getByRole('button', { name: EVIL, exact: true }).click()
  await until('its value', async () => await page.getByLabel('Value', { exact: true }).inputValue() === `${EVIL} & ]]> &amp;`)
  await unharmed(page)
  await picture(page, 'hostile-cache')
  await page.getByRole('button', { name: 'Delete…' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  await toast(page, `Deleted ${EVIL}`)
  await page.getByRole('link', { name: 'Processes' }).click()
  await page.getByRole('button', { name: 'Add group…' }).click()
  await page.getByLabel('Name').fill(EVIL)
  await page.getByRole('dialog').getByRole('button', { name: 'Add group' }).click()
  await page.getByRole('alert').getByText('Invalid name').waitFor()
  await unharmed(page)
  await page.done()

  // Without JavaScript the same names work.
  const bare = await open(browser, `${main}?message=${encodeURIComponent(EVIL)}`, { javaScriptEnabled: false, allow: /Content Security Policy/ })
  await rowOf(bare, evil).getByRole('button', { name: 'Start' }).click()
  assert.strictEqual(await bare.locator('.status_msg').innerText(), `Process ${evil} started`)
  await rowOf(bare, evil).getByRole('button', { name: 'Stop' }).click()
  assert.strictEqual(await bare.locator('.status_msg').innerText(), `Process ${evil} stopped`)
  await bare.done()
})

test('wrong password', async (browser, { locked }) => {
  const wrong = await browser.newContext({ httpCredentials: { username: 'admin', password: 'wrong' } })
  const page = await wrong.newPage()
  const answer = await page.goto(locked)
  assert.strictEqual(answer.status(), 401)
  assert.strictEqual(await page.locator('table').count(), 0)
  await wrong.close()

  const right = await open(browser, locked, { httpCredentials: { username: 'admin', password: 'secret' }, allow: /401/ })
  await rowOf(right, 'one').getByRole('button', { name: 'Start' }).click()
  await toast(right, 'Process one started')
  await rowOf(right, 'one').getByRole('button', { name: 'Stop' }).click()
  await toast(right, 'Process one stopped')
  // The server wants another password from now on.
  await right.context().setHTTPCredentials({ username: 'admin', password: 'old' })
  await right.route('**/RPC2', route => route.continue({ headers: { ...route.request().headers(), authorization: 'Basic YWRtaW46b2xk' } }))
  await rowOf(right, 'one').getByRole('button', { name: 'Start' }).click()
  await toast(right, 'The server wants a user name and a password')
  await right.done()
})

test('everybody can use it: axe-core finds nothing', async (browser, { main }) => {
  for (const colorScheme of ['light', 'dark']) {
    const page = await open(browser, main, { colorScheme })
    await accessible(page, `processes, ${colorScheme}`)
    if (colorScheme === 'dark') await picture(page, 'processes-dark')
    await rowOf(page, 'missing').getByRole('button', { name: 'Start' }).click()
    await toast(page, 'ERROR: Process missing')
    await page.getByRole('button', { name: /^fatal/ }).click()
    await accessible(page, `a message and a filter, ${colorScheme}`)
    await page.getByRole('button', { name: 'Add program…' }).click()
    await page.getByRole('dialog').waitFor()
    await accessible(page, `the dialog, ${colorScheme}`)
    if (colorScheme === 'dark') await picture(page, 'add-program-dark')
    await page.keyboard.press('Escape')
    await page.getByRole('link', { name: 'Cache' }).click()
    await page.getByRole('button', { name: 'New key…' }).click()
    await page.getByLabel('Key', { exact: true }).fill(`colour of ${colorScheme}`)
    await page.getByRole('button', { name: 'Store' }).click()
    await page.getByRole('button', { name: 'Delete…' }).waitFor()
    await accessible(page, `the cache, ${colorScheme}`)
    await page.getByRole('button', { name: 'Delete…' }).click()
    await accessible(page, `a question, ${colorScheme}`)
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
    await page.getByText('The cache is empty.').waitFor()
    await page.done()
  }
  // axe needs scripts, and so the page of those without them is looked at with its own ones kept away.
  const bare = await open(browser, 'about:blank', { live: false, allow: /ERR_FAILED/ })
  await bare.route('**/web/*.js', route => route.abort())
  for (const url of [main, new URL('tail.html?processname=talk:talk_0', main)]) {
    await bare.goto(String(url))
    await accessible(bare, String(url))
  }
  await bare.done()
})

test('a narrow window needs no scrolling to the side', async (browser, { main }) => {
  const page = await open(browser, main, { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true })
  const fits = async what => assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), what)
  await fits('processes')
  await accessible(page, 'narrow processes')
  await picture(page, 'processes-narrow')
  await rowOf(page, 'sleeper').getByRole('button', { name: 'Start' }).tap()
  await toast(page, 'Process sleeper started')
  await rowOf(page, 'sleeper').getByRole('button', { name: 'Stop' }).tap()
  await stateIs(page, 'sleeper', 'stopped')
  await page.getByRole('button', { name: 'Add program…' }).tap()
  await page.getByRole('dialog').waitFor()
  await fits('dialog')
  await picture(page, 'add-program-narrow')
  await page.keyboard.press('Escape')
  for (const view of ['Logs', 'Cache']) {
    await page.getByRole('link', { name: view }).tap()
    await page.locator(view === 'Logs' ? '.lines div div' : '#cache .empty').first().waitFor()
    await fits(view)
    await picture(page, `${view.toLowerCase()}-narrow`)
  }
  await page.done()
})

test('the keyboard alone', async (browser, { main }) => {
  const page = await open(browser, main, { reducedMotion: 'reduce' })
  await page.keyboard.press('/')
  await page.keyboard.type('sleeper')
  const field = page.getByRole('searchbox', { name: 'Filter processes' })
  assert.strictEqual(await field.evaluate(field => field === document.activeElement), true)
  // On to the row's first button.
  await until('the button', async () => {
    await page.keyboard.press('Tab')
    return page.evaluate(() => document.activeElement.textContent === 'Start' && document.activeElement.closest('tr')?.row?.spec === 'sleeper')
  })
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle)
  assert.strictEqual(outline, 'solid')
  await page.keyboard.press('Enter')
  await stateIs(page, 'sleeper', 'running')
  // The row has other buttons now, and the keyboard is still there.
  await until('the focus in the row', () => page.evaluate(() => document.activeElement.closest('tr')?.row?.spec === 'sleeper'))
  await page.keyboard.press('Escape')
  assert.strictEqual(await field.inputValue(), '')
  await rowOf(page, 'sleeper').getByRole('button', { name: 'Stop' }).press('Enter')
  await stateIs(page, 'sleeper', 'stopped')
  await page.done()
})
