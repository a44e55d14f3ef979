// SPDX-License-Identifier: MIT
// Ends the engine's own script: messages of the page become calls, in their order.
Module.onRuntimeInitialized = () => {
  const call = Module.cwrap("kindred_call", "string", ["string"]);
  self.onmessage = event => {
    if (event.data.bytes) FS.writeFile("/model.kindred", new Uint8Array(event.data.bytes));
    self.postMessage(call(event.data.request));
    if (event.data.bytes) FS.unlink("/model.kindred");
  };
  self.postMessage(JSON.stringify({ready: true}));
};
