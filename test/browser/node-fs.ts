/**
 * Stands in for the three functions of node:fs by which tests read fixtures and list the sources: the server of
 * scripts/test-browser.mjs gives out the files of the repository. (Tests call them at once, hence the synchronous requests.)
 */
function request(url: URL | string, method = "GET"): XMLHttpRequest {
  const xhr = new XMLHttpRequest();
  xhr.open(method, String(url), false);
  xhr.send();
  return xhr;
}

export function readFileSync(url: URL, encoding: "utf8"): string {
  if (encoding !== "utf8") throw new Error("readFileSync: only text can be read here");
  const { status, responseText } = request(url);
  if (status !== 200) throw new Error(`ENOENT: ${url}`);
  return responseText;
}

/** The names in a folder, whose URL ends in a slash. */
export const readdirSync = (url: URL): string[] => JSON.parse(readFileSync(url, "utf8"));

export const existsSync = (url: URL): boolean => request(url, "HEAD").status === 200;
