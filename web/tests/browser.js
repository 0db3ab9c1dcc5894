// A real Chromium with a virtual authenticator, and what the tests do with its pages.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { chromium } from 'playwright-core';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const args = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--disable-default-apps', '--disable-extensions',
];
const WCAG = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
const PHONE = { width: 390, height: 844 };
/** The longest wait for anything: far more than it takes, because a busy machine is no failure. */
const PATIENCE_MILLISECONDS = 180_000;

/** @returns {Promise<import('playwright-core').Browser>} */
export function launchBrowser() {
  if (!existsSync(executablePath)) throw new Error(`${executablePath} is missing: install Chromium, or set CHROMIUM`);
  return chromium.launch({ executablePath, args, timeout: PATIENCE_MILLISECONDS });
}

/** A context with the patience of these tests. @param {import('playwright-core').Browser} browser @param {object} [options] */
export async function openContext(browser, options) {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(PATIENCE_MILLISECONDS);
  return context;
}

/**
 * A page of a person with a device of their own. `violations` collects what a strict policy stopped and what scripts
 * threw; a test ends with none.
 *
 * @param {import('playwright-core').Browser} browser
 * @param {{locale?: string}} [person]  the reader's language
 */
export async function openDevice(browser, { locale = 'en-GB' } = {}) {
  const context = await openContext(browser, { viewport: PHONE, timezoneId: 'Europe/Berlin', locale });
  const page = await context.newPage();
  const violations = [];
  page.on('pageerror', (error) => violations.push(String(error)));
  page.on('console', (message) => {
    // An expected problem document is also logged, as a resource that failed to load.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) violations.push(message.text());
  });
  const cdp = await context.newCDPSession(page);
  await cdp.send('WebAuthn.enable');
  /** One more place for passkeys; a browser has one internal authenticator at most. @param {'internal' | 'usb'} transport */
  const addAuthenticator = async (transport) => {
    const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        ctap2Version: 'ctap2_1',
        transport,
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
        defaultBackupEligibility: transport === 'internal',
        defaultBackupState: transport === 'internal',
      },
    });
    return {
      setUserVerified: (isUserVerified) => cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified }),
      /** Whether somebody touches it when asked to. */
      setPresent: (enabled) => cdp.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled }),
      /** Lets it answer wrongly. @param {object} bits  of WebAuthn.setResponseOverrideBits */
      setResponseOverride: (bits) => cdp.send('WebAuthn.setResponseOverrideBits', { authenticatorId, ...bits }),
      /** Its passkeys with their private keys. */
      passkeys: async () => (await cdp.send('WebAuthn.getCredentials', { authenticatorId })).credentials,
      takeAway: () => cdp.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId }),
    };
  };
  return { context, page, violations, addAuthenticator, ...(await addAuthenticator('internal')) };
}

/** Enrols the page's person under a name that the invite fixes. */
export async function enrol(page, registerUrl) {
  await page.goto(registerUrl);
  await page.getByRole('button', { name: 'Create passkey' }).click();
  await heading(page, 'You are enrolled');
}

/** Waits until the one first-level heading says this. */
export async function heading(page, text) {
  await page.getByRole('heading', { level: 1, name: text, exact: true }).waitFor();
  assert.equal(await page.locator('h1').count(), 1);
}

/** The payload as a reader sees it: path, type and value of every field. */
export function shownFields(page) {
  return page.locator('.fields .field').evaluateAll((fields) =>
    fields.map((field) => ({
      path: field.querySelector('dt bdi').textContent,
      type: field.querySelector('.type').textContent,
      value: field.querySelector('dd').textContent,
    })),
  );
}

/** What axe finds against WCAG 2.2 AA, in both colour schemes. */
export async function assertAccessible(page) {
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    const { violations } = await new AxeBuilder({ page }).withTags(WCAG).analyze();
    const found = violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => ({ id, html, failureSummary })));
    assert.deepEqual(found, [], `in the ${colorScheme} scheme`);
  }
  await page.emulateMedia({ colorScheme: null });
}

/**
 * What every state owes: nothing that a policy stopped, nothing that axe finds, no sideways scrolling at 320 pixels, large
 * buttons.
 */
export async function assertReadable(page, violations) {
  assert.deepEqual(violations, []);
  await assertAccessible(page);
  await page.setViewportSize({ width: 320, height: 640 });
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= 320), 'scrolls sideways at 320 pixels');
  const boxes = [];
  for (const button of await page.locator('main button:visible').all()) boxes.push(await button.boundingBox());
  for (const box of boxes) assert.ok(box.height >= 44 && box.width >= 44, `a button of ${box.width} by ${box.height}`);
  await page.setViewportSize(PHONE);
}

/** Takes pictures when SCREENSHOTS names a folder, on the narrowest phone in light alone; with `first`, also of what a phone shows before one scrolls. */
export async function picture(page, name, { first = false } = {}) {
  const dir = process.env.SCREENSHOTS;
  if (!dir) return;
  mkdirSync(dir, { recursive: true });
  // What the mouse is over looks different.
  await page.mouse.move(0, 0);
  for (const width of [320, 390, 1280]) {
    for (const colorScheme of width === 320 ? ['light'] : ['light', 'dark']) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: PHONE.height });
      if (first && width === PHONE.width) await page.screenshot({ path: join(dir, `${name}-first-${colorScheme}.png`) });
      // A window as high as the page, so that what sticks to its edge is where a reader finds it in the end.
      const height = await page.evaluate(() => document.documentElement.scrollHeight);
      await page.setViewportSize({ width, height: Math.max(height, PHONE.height) });
      await page.screenshot({ path: join(dir, `${name}-${width}-${colorScheme}.png`) });
    }
  }
  await page.setViewportSize(PHONE);
  await page.emulateMedia({ colorScheme: null });
}
