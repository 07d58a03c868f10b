// Generated from mqtt/contract by `linli contract generate`, do not edit.
// Topics, names and limits of the device contract; no heap, no exceptions.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string_view>

namespace linli::contract {

inline constexpr std::string_view kRoot = "linli/v1";
inline constexpr std::size_t kMaxKey = 32;
inline constexpr std::size_t kMaxPayloadBytes = 65536;
inline constexpr unsigned kResendSeconds = 3;
/// Room for the longest topic of the contract and its final NUL.
inline constexpr std::size_t kTopicSize = 108;
inline constexpr std::string_view kOnline = "online";
inline constexpr std::string_view kOffline = "offline";

// Event kinds, command names.
inline constexpr std::string_view kEventScan = "scan";
inline constexpr std::string_view kEventOfflinePassage = "offline_passage";
inline constexpr std::string_view kEventDoor = "door";
inline constexpr std::string_view kEventTamper = "tamper";
inline constexpr std::string_view kEventReading = "reading";
inline constexpr std::string_view kEventCompartment = "compartment";
inline constexpr std::string_view kEventAlarm = "alarm";
inline constexpr std::string_view kEventBoot = "boot";
inline constexpr std::string_view kCommandUnlock = "unlock";
inline constexpr std::string_view kCommandRefuse = "refuse";
inline constexpr std::string_view kCommandAcknowledge = "acknowledge";
inline constexpr std::string_view kCommandOpenCompartment = "open_compartment";
inline constexpr std::string_view kCommandAlarmFeedback = "alarm_feedback";
inline constexpr std::string_view kCommandSetThreshold = "set_threshold";
inline constexpr std::string_view kEvents[] = {
    kEventScan,
    kEventOfflinePassage,
    kEventDoor,
    kEventTamper,
    kEventReading,
    kEventCompartment,
    kEventAlarm,
    kEventBoot,
};
inline constexpr std::string_view kCommands[] = {
    kCommandUnlock,
    kCommandRefuse,
    kCommandAcknowledge,
    kCommandOpenCompartment,
    kCommandAlarmFeedback,
    kCommandSetThreshold,
};

// Fields of the JSON payloads.
inline constexpr std::string_view kFieldAction = "action";
inline constexpr std::string_view kFieldActive = "active";
inline constexpr std::string_view kFieldAmbientTemperature = "ambient_temperature";
inline constexpr std::string_view kFieldAt = "at";
inline constexpr std::string_view kFieldBattery = "battery";
inline constexpr std::string_view kFieldBodyTemperature = "body_temperature";
inline constexpr std::string_view kFieldCause = "cause";
inline constexpr std::string_view kFieldCode = "code";
inline constexpr std::string_view kFieldCompartment = "compartment";
inline constexpr std::string_view kFieldDirection = "direction";
inline constexpr std::string_view kFieldDistanceMm = "distance_mm";
inline constexpr std::string_view kFieldEvent = "event";
inline constexpr std::string_view kFieldEvents = "events";
inline constexpr std::string_view kFieldExpiresAt = "expires_at";
inline constexpr std::string_view kFieldFirmware = "firmware";
inline constexpr std::string_view kFieldId = "id";
inline constexpr std::string_view kFieldOccupied = "occupied";
inline constexpr std::string_view kFieldOk = "ok";
inline constexpr std::string_view kFieldOutcome = "outcome";
inline constexpr std::string_view kFieldOverThreshold = "over_threshold";
inline constexpr std::string_view kFieldPresses = "presses";
inline constexpr std::string_view kFieldPulseMs = "pulse_ms";
inline constexpr std::string_view kFieldReader = "reader";
inline constexpr std::string_view kFieldReason = "reason";
inline constexpr std::string_view kFieldRevocationAgeS = "revocation_age_s";
inline constexpr std::string_view kFieldScan = "scan";
inline constexpr std::string_view kFieldState = "state";
inline constexpr std::string_view kFieldTransaction = "transaction";

// Words and limits of those fields.
inline constexpr std::string_view kScanDirectionIn = "in";
inline constexpr std::string_view kScanDirectionOut = "out";
inline constexpr std::size_t kScanCodeMax = 1024;
inline constexpr float kScanBodyTemperatureLow = -60.0f;
inline constexpr float kScanBodyTemperatureHigh = 150.0f;
inline constexpr std::string_view kOfflinePassageDirectionIn = "in";
inline constexpr std::string_view kOfflinePassageDirectionOut = "out";
inline constexpr std::string_view kOfflinePassageOutcomeAllow = "allow";
inline constexpr std::string_view kOfflinePassageOutcomeRefuse = "refuse";
inline constexpr std::size_t kOfflinePassageCodeMax = 1024;
inline constexpr float kOfflinePassageRevocationAgeSLow = 0.0f;
inline constexpr std::string_view kDoorStateClosed = "closed";
inline constexpr std::string_view kDoorStateForced = "forced";
inline constexpr std::string_view kDoorStateHeldOpen = "held_open";
inline constexpr std::string_view kDoorStateOpened = "opened";
inline constexpr float kReadingBodyTemperatureLow = -60.0f;
inline constexpr float kReadingBodyTemperatureHigh = 150.0f;
inline constexpr float kReadingAmbientTemperatureLow = -60.0f;
inline constexpr float kReadingAmbientTemperatureHigh = 150.0f;
inline constexpr float kReadingDistanceMmLow = 0.0f;
inline constexpr float kReadingDistanceMmHigh = 10000.0f;
inline constexpr std::string_view kCompartmentMovedStateClosed = "closed";
inline constexpr std::string_view kCompartmentMovedStateJammed = "jammed";
inline constexpr std::string_view kCompartmentMovedStateOpened = "opened";
inline constexpr float kCompartmentMovedCompartmentLow = 1.0f;
inline constexpr float kCompartmentMovedCompartmentHigh = 999.0f;
inline constexpr std::string_view kAlarmActionCancelled = "cancelled";
inline constexpr std::string_view kAlarmActionPressed = "pressed";
inline constexpr std::string_view kAlarmActionTested = "tested";
inline constexpr float kAlarmBatteryLow = 0.0f;
inline constexpr float kAlarmBatteryHigh = 100.0f;
inline constexpr float kAlarmPressesLow = 1.0f;
inline constexpr float kAlarmPressesHigh = 1000.0f;
inline constexpr std::string_view kBootCausePower = "power";
inline constexpr std::string_view kBootCauseRequest = "request";
inline constexpr std::string_view kBootCauseUnknown = "unknown";
inline constexpr std::string_view kBootCauseUpdate = "update";
inline constexpr std::string_view kBootCauseWatchdog = "watchdog";
inline constexpr std::size_t kBootFirmwareMax = 200;
inline constexpr float kUnlockPulseMsLow = 100.0f;
inline constexpr float kUnlockPulseMsHigh = 60000.0f;
inline constexpr std::size_t kAcknowledgeEventsMax = 100;
inline constexpr float kOpenCompartmentCompartmentLow = 1.0f;
inline constexpr float kOpenCompartmentCompartmentHigh = 999.0f;
inline constexpr std::string_view kAlarmFeedbackStateAcknowledged = "acknowledged";
inline constexpr std::string_view kAlarmFeedbackStateClosed = "closed";
inline constexpr std::string_view kAlarmFeedbackStateReceived = "received";
inline constexpr float kSetThresholdBodyTemperatureLow = 35.0f;
inline constexpr float kSetThresholdBodyTemperatureHigh = 42.0f;

// Telemetry: the key is `component/object`.
struct Measure {
  std::string_view key;
  float low;
  float high;
  unsigned interval_s;
};
inline constexpr Measure kMeasureBinarySensorContact{"binary_sensor/contact", 0.0f, 1.0f, 60u};
inline constexpr Measure kMeasureBinarySensorDoorOpen{"binary_sensor/door_open", 0.0f, 1.0f, 60u};
inline constexpr Measure kMeasureBinarySensorPressed{"binary_sensor/pressed", 0.0f, 1.0f, 60u};
inline constexpr Measure kMeasureBinarySensorScanner{"binary_sensor/scanner", 0.0f, 1.0f, 60u};
inline constexpr Measure kMeasureBinarySensorTamper{"binary_sensor/tamper", 0.0f, 1.0f, 60u};
inline constexpr Measure kMeasureLockDoor{"lock/door", 0.0f, 1.0f, 60u};
inline constexpr Measure kMeasureSensorAmbientTemperature{"sensor/ambient_temperature", -40.0f, 85.0f, 60u};
inline constexpr Measure kMeasureSensorBattery{"sensor/battery", 0.0f, 100.0f, 300u};
inline constexpr Measure kMeasureSensorBodyTemperature{"sensor/body_temperature", 20.0f, 50.0f, 60u};
inline constexpr Measure kMeasureSensorFree{"sensor/free", 0.0f, 999.0f, 60u};
inline constexpr Measure kMeasureSensorOccupied{"sensor/occupied", 0.0f, 999.0f, 60u};
inline constexpr Measure kMeasureSensorSignal{"sensor/signal", -130.0f, 0.0f, 60u};
inline constexpr Measure kMeasureSensorUptime{"sensor/uptime", 0.0f, 4000000000.0f, 60u};

/// Whether `key` is a valid community or device key: a-z 0-9 first, then also _ and -, at most 32.
constexpr bool valid_key(std::string_view key) {
  if (key.empty() || key.size() > kMaxKey) return false;
  for (std::size_t i = 0; i < key.size(); ++i) {
    const char c = key[i];
    const bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (!word && (i == 0 || (c != '_' && c != '-'))) return false;
  }
  return true;
}

/// Writes the parts one after another and a final NUL. Returns the length, or 0 when it does not fit.
inline std::size_t join(char *out, std::size_t size, const std::string_view *parts, std::size_t count) {
  std::size_t length = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (parts[i].size() >= size - length) {
      if (size > 0) out[0] = '\0';
      return 0;
    }
    for (const char c : parts[i]) out[length++] = c;
  }
  if (length >= size) return 0;
  out[length] = '\0';
  return length;
}

/// One device's topics. The keys are borrowed and must outlive the address.
struct Address {
  std::string_view community;
  std::string_view device;

  constexpr bool valid() const { return valid_key(community) && valid_key(device); }

  /// `linli/v1/{community}/{device}`; 0 when a key is not valid or the buffer is too small.
  std::size_t prefix(char *out, std::size_t size) const { return topic(out, size, {}, {}, {}); }
  std::size_t status(char *out, std::size_t size) const { return topic(out, size, "/status", {}, {}); }
  std::size_t event(char *out, std::size_t size, std::string_view kind) const {
    return topic(out, size, "/event/", kind, {});
  }
  std::size_t command(char *out, std::size_t size, std::string_view name) const {
    return topic(out, size, "/command/", name, {});
  }
  std::size_t result(char *out, std::size_t size, std::string_view name) const {
    return topic(out, size, "/result/", name, {});
  }
  /// `key` is a measure's `component/object`.
  std::size_t state(char *out, std::size_t size, std::string_view key) const {
    return topic(out, size, "/", key, "/state");
  }
  /// The filter for all of this device's commands.
  std::size_t commands(char *out, std::size_t size) const { return topic(out, size, "/command/+", {}, {}); }

  /// The command's name if `text` is a command topic of this device, else empty.
  std::string_view command_of(std::string_view text) const {
    for (const std::string_view part : {kRoot, std::string_view("/"), community, std::string_view("/"), device,
                                        std::string_view("/command/")}) {
      if (text.substr(0, part.size()) != part) return {};
      text.remove_prefix(part.size());
    }
    for (const std::string_view known : kCommands) {
      if (text == known) return known;
    }
    return {};
  }

 private:
  std::size_t topic(char *out, std::size_t size, std::string_view a, std::string_view b, std::string_view c) const {
    if (!valid()) {
      if (size > 0) out[0] = '\0';
      return 0;
    }
    const std::string_view parts[] = {kRoot, "/", community, "/", device, a, b, c};
    return join(out, size, parts, sizeof(parts) / sizeof(parts[0]));
  }
};

}  // namespace linli::contract
