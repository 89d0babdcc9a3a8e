// SPDX-License-Identifier: Apache-2.0
// Balances as they change. The browser takes a dropped stream up again by itself; one that was
// refused or has ended (the session is over, or the service restarts) is tried again here, after a
// look whether the session still is.

const AGAIN_MS = 5000;

/** Calls `onbalance(event)` now and at each change, `onstate(live)` when the stream comes or goes.
 * Ends with the screen. */
export function follow(ctx, { onbalance, onstate }) {
  let source = null;
  let timer = 0;
  const again = () => {
    source.close();
    onstate(false);
    ctx.api.get('me', {}, ctx.signal).catch(() => {}); // a 401 leads to the sign-in
    timer = setTimeout(open, AGAIN_MS);
  };
  const open = () => {
    source = new EventSource('../buyer/events');
    source.addEventListener('open', () => onstate(true));
    source.addEventListener('balance', (event) => onbalance(JSON.parse(event.data)));
    source.addEventListener('end', again);
    source.addEventListener('error', () => {
      if (source.readyState === EventSource.CLOSED) again();
      else onstate(false);
    });
  };
  ctx.signal.addEventListener('abort', () => {
    clearTimeout(timer);
    source.close();
  });
  open();
}
