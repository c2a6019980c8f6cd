// Browsers start no Worker on a page read from the file system. There the search's program runs in a frame instead, and
// messages are handed from the one to the other.
if (location.protocol === "file:")
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      document.body.append(frame);
      this._inside = frame.contentWindow;
      this._inside.postMessage = (data) => {
        const event = new MessageEvent("message", { data });
        this.onmessage?.(event);
        this.dispatchEvent(event);
      };
      const script = frame.contentDocument.createElement("script");
      script.src = new URL(url, location);
      this._ready = new Promise((resolve) => (script.onload = resolve));
      frame.contentDocument.body.append(script);
    }

    postMessage(data) {
      this._ready.then(() => this._inside.dispatchEvent(new this._inside.MessageEvent("message", { data })));
    }

    terminate() {
      this._inside.frameElement.remove();
    }
  };
