/** A page's side of desk.html: calls the global functions that it is asked to call. */

/** Tells the desk that the page is ready to be called; does nothing in a page that the desk has not opened. */
export function announce(): void {
  const page = new URLSearchParams(location.search).get("desk");
  if (page === null) return;
  const channel = new BroadcastChannel(`desk-${page}`);
  channel.onmessage = async ({ data }) => {
    if (data.close) return close();
    try {
      const called = (globalThis as unknown as Record<string, (...args: unknown[]) => unknown>)[data.call];
      channel.postMessage({ result: await called(...data.args) });
    } catch (error) {
      channel.postMessage({ error: `${error}` });
    }
  };
  channel.postMessage({ loaded: true });
}
