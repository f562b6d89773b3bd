/** The loudness of one's own microphone, ten times a second, from 0 to 1. */

const INTERVAL_MS = 100;
const FFT_SIZE = 1024;

export class LevelMeter {
  #context: AudioContext | null = null;
  #source: MediaStreamAudioSourceNode | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** Measures `track` (or nothing) from now on. */
  attach(track: MediaStreamTrack | null, onLevel: (level: number) => void): void {
    this.#source?.disconnect();
    this.#source = null;
    clearInterval(this.#timer);
    onLevel(0);
    if (track === null || typeof AudioContext === "undefined") return;
    this.#context ??= new AudioContext();
    // Before the first gesture a context may be suspended; resume() then waits for one.
    void this.#context.resume();
    const analyser = new AnalyserNode(this.#context, { fftSize: FFT_SIZE });
    this.#source = this.#context.createMediaStreamSource(new MediaStream([track]));
    this.#source.connect(analyser);
    const samples = new Float32Array(FFT_SIZE);
    this.#timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      onLevel(Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / FFT_SIZE));
    }, INTERVAL_MS);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#source?.disconnect();
    void this.#context?.close();
    this.#context = null;
  }
}

/** The level as a length: the ear hears in decibels, so −60 dBov is nothing and −12 dBov is all. */
export function meterLength(level: number): number {
  const decibels = 20 * Math.log10(Math.max(level, 1e-6));
  return Math.min(1, Math.max(0, (decibels + 60) / 48));
}
