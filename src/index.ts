export { backend, setModule } from "./wasm/load.js"; import {load,k} from "./wasm/load.js"; load(); console.log(k)
