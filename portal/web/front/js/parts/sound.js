// Short tones that a page makes by itself, and the switch that keeps a page quiet on this device.
let sound = null;

// Whether somebody has switched the sound of this name off here.
export const silent = (name) => {
  try {
    return localStorage.getItem(name) === "1";
  } catch {
    return false;
  }
};

// Play [hertz, after, seconds], each. Browsers allow it only after somebody has touched the page: answers whether.
export const play = (tones, loud = 0.3) => {
  if (!navigator.userActivation?.hasBeenActive) return false;
  sound ??= new AudioContext();
  for (const [hertz, after, seconds] of tones) {
    const wave = sound.createOscillator();
    const gain = sound.createGain();
    const at = sound.currentTime + after;
    wave.frequency.value = hertz;
    gain.gain.setValueAtTime(loud, at);
    gain.gain.exponentialRampToValueAtTime(0.001, at + seconds);
    wave.connect(gain).connect(sound.destination);
    wave.start(at);
    wave.stop(at + seconds);
  }
  return true;
};
