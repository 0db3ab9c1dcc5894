// This page's own address, to be opened in another browser: the browsers inside of other apps often have no passkeys.

import { copyButton } from './copy-button.js';
import { element } from './dom.js';
import { alertText, byId } from './page.js';
import { text } from './words.js';

/** Says that nothing can be done here, and what to do instead. */
export function sayNoPasskeys() {
  alertText(text('cannotUsePasskeys'));
  byId('alert').append(element('p', {}, ...ownAddress()));
}

/** The address, and a button that copies it. @returns {(Node | string)[]} */
export function ownAddress() {
  const button = copyButton(location.href, text('copyAddress'), text('copied'), text('cannotCopy'));
  return [element('code', { dir: 'ltr' }, location.href), ' ', button];
}
