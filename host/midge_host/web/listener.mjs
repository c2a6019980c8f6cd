// In the thread of sound: hands on what a microphone gives, blocks of real values of one channel.

class Listener extends AudioWorkletProcessor {
  process([[samples]]) {
    if (samples) this.port.postMessage(samples.slice());
    return true;
  }
}

registerProcessor("listener", Listener);
