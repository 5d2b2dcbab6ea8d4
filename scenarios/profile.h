#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/profile.h"
#include "scenarios/fields.h"

namespace godwit::scenarios {

/// A cost profile that comes with the command, and where its numbers are from.
struct Profile {
  models::CostProfile costs;
  std::string summary;
  std::vector<std::pair<std::string, std::string>> sources;  ///< Field and origin of its number, in file order.
};

/// All of them, sorted by name.
const std::vector<Profile>& profiles();

/// The profile called `name`, or null.
const Profile* find_profile(std::string_view name);

std::vector<std::string> profile_names();

/// The ways to notice writes, by name.
Codec<models::Tracker> tracker();

/// The costs of a profile. All may stay away: an absent one stays what it is.
const Table<models::CostProfile>& cost_table();
const Table<models::TrackerCosts>& tracker_table();

/// A profile by name, or an object with a `base` and the costs that differ from it.
Codec<models::CostProfile> profile();

/// The text of a profile file.
std::optional<Profile> parse_profile(std::string_view text, Issues& issues);

}  // namespace godwit::scenarios
