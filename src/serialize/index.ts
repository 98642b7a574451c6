/** `save` and `load`: tensors as bytes or a file, as torch.save and torch.load, in the open safetensors format. */

import { checkOptions, isOptions, show } from "../arguments.js";
import { type FileSource, readSource, writeFile } from "../data/files.js";
import type { Bytes } from "../dtype.js";
import { ArgumentError, DataError } from "../errors.js";
import { Tensor } from "../tensor.js";
import { decode, encode, type Metadata, type Writable } from "./safetensors.js";
import { flatten, type Saved, unflatten } from "./tree.js";

export type { Saved } from "./tree.js";

/** Where the structure of a value stands that is more than named tensors. */
const STRUCTURE = "lanegrad";

/** Options of `save`. */
export interface SaveOptions {
  /** Text by name, which goes into the file's header: what the weights are, how they were made. */
  metadata?: Record<string, string>;
}

/** Whether value is what safetensors itself can say: tensors by name. */
const isNamedTensors = (value: unknown): value is Record<string, Tensor> =>
  isOptions(value) && Object.entries(value).every(([name, item]) => item instanceof Tensor && name !== "__metadata__");

/**
 * Tensors as the bytes of a safetensors file, and a file where a path is given; as torch.save.
 *
 * A state dict becomes what `safetensors.torch.load_file` reads in Python, and what it writes there `load` reads here.
 * Other values (`{ net: net.stateDict(), optimizer: optimizer.stateDict(), epoch: 3 }`) are such files too, with tensors named
 * by their path (`net.fc1.weight`) and the rest in the header's metadata.
 *
 * The file is written beside its place and then put there, so that a crash leaves the old one whole.
 *
 * @param value a tensor, or plain objects and lists of tensors, numbers, booleans, strings, null and bytes
 * @param path where to write; without one, only the bytes are returned
 * @throws ArgumentError for a value of another kind, naming its place; DataError when the file cannot be written
 */
export function save(value: Saved | object, path?: string | URL | SaveOptions, options: SaveOptions = {}): Bytes {
  if (isOptions(path)) {
    options = path as SaveOptions;
    path = undefined;
  }
  checkOptions("save", options, ["metadata"]);
  const metadata: Metadata = { ...options.metadata };
  for (const [name, text] of Object.entries(metadata)) {
    if (typeof text !== "string")
      throw new ArgumentError(`save: metadata.${name} must be a string, found ${show(text)}`);
    if (name === STRUCTURE)
      throw new ArgumentError(`save: metadata may not be called ${STRUCTURE}: the structure is kept there`);
  }
  const tensors = new Map<string, Writable>();
  if (isNamedTensors(value)) {
    for (const [name, tensor] of Object.entries(value)) tensors.set(name, tensor);
  } else {
    metadata[STRUCTURE] = JSON.stringify(flatten(value, tensors));
  }
  const bytes = encode(tensors, metadata);
  if (path !== undefined) writeFile(path as string | URL, bytes, "save");
  return bytes;
}

/**
 * What `save` has saved, or the tensors of any other safetensors file by their names; as torch.load.
 *
 * Tensors come as float32, int32, uint8 or bool: F64, F16 and BF16 become float32, other integers int32.
 *
 * @param source a path, or the file's bytes
 * @throws DataError for a file that cannot be read, is truncated or is no safetensors file, naming what does not fit
 */
export function load(source: FileSource): any {
  const { name, bytes } = readSource(source, "source", "load", "load(bytes)");
  const contents = decode(bytes, name);
  const structure = contents.metadata[STRUCTURE];
  if (structure === undefined) return Object.fromEntries(contents.names.map((key) => [key, contents.tensor(key)]));
  let json: unknown;
  try {
    json = JSON.parse(structure);
  } catch (error) {
    throw new DataError(`load: ${name}: the structure in its metadata is no JSON: ${(error as Error).message}`);
  }
  return unflatten(json, contents);
}

/** The metadata of a safetensors file. @throws DataError as `load` */
export function loadMetadata(source: FileSource): Record<string, string> {
  const { name, bytes } = readSource(source, "source", "loadMetadata", "loadMetadata(bytes)");
  const { [STRUCTURE]: _, ...metadata } = decode(bytes, name).metadata;
  return metadata;
}
