#include <astd/base/error.hpp>
#include <astd/driver/sim/random.hpp>
#include <astd/random.hpp>
#include <astd/testing/sim/hunt.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <iterator>
#include <typeinfo>
#include <utility>

namespace astd::sim {
namespace detail {
namespace {

using numbers = std::vector<std::uint64_t>;

numbers numbers_of(const report& r) {
  numbers all;
  for (const struck& f : r.struck_faults) all.push_back(f.number);
  return all;
}

/// Looks for less that fails all the same.
class shrinker {
 public:
  /// `first` is how `failing` has failed.
  shrinker(const options& failing, run_outcome first, unsigned most_runs, attempt& what)
      : what_(what), most_(most_runs), best_(failing), last_(std::move(first)), kind_(last_.kind) {}
  finding found() {
    // Often neither the order nor the faults matter; else the one that is left says more when the other is small.
    const bool plain = shuffled_between(0, 0);
    shrink_faults();
    if (!plain) shrink_shuffle();
    if (!plain) shrink_faults();
    return {best_, last_.text, last_.told, 0, 0, runs_};
  }

 private:
  // Keeps `o` if it fails in the same way.
  bool fails(const options& o) {
    if (runs_ >= most_) return false;
    ++runs_;
    run_outcome r = try_once(what_, o);
    if (r.kind != kind_) return false;
    best_ = o;
    last_ = std::move(r);
    return true;
  }
  bool with_faults(numbers only) {
    options o = best_;
    o.only_faults = std::move(only);
    if (!fails(o)) return false;
    // Of these, some may no longer have struck: they do not matter.
    if (last_.told.faults == last_.told.struck_faults.size()) best_.only_faults = numbers_of(last_.told);
    return true;
  }
  bool shuffled_between(std::uint64_t from, std::uint64_t to) {
    options o = best_;
    o.shuffle_from = from;
    o.shuffle_to = to;
    return fails(o);
  }

  // Zeller and Hildebrandt, Simplifying and isolating failure-inducing input (2002): leaves out one part of n at a time.
  void shrink_faults() {
    numbers now = best_.only_faults ? *best_.only_faults : numbers_of(last_.told);
    if (now.empty() && best_.only_faults) return;
    if (with_faults({})) return;
    if (now.size() < last_.told.faults && !best_.only_faults) return;  // more than were told of
    for (std::size_t parts = 2; now.size() > 1 && runs_ < most_;) {
      const std::size_t size = (now.size() + parts - 1) / parts;
      bool smaller = false;
      for (std::size_t at = 0; at < now.size() && !smaller; at += size) {
        numbers rest(now.begin(), now.begin() + static_cast<std::ptrdiff_t>(at));
        rest.insert(rest.end(), now.begin() + static_cast<std::ptrdiff_t>(std::min(at + size, now.size())),
                    now.end());
        smaller = with_faults(std::move(rest));
      }
      if (smaller) {
        now = *best_.only_faults;
        parts = std::max<std::size_t>(parts - 1, 2);
      } else if (parts >= now.size()) {
        return;
      } else {
        parts = std::min(parts * 2, now.size());
      }
    }
  }

  void shrink_shuffle() {
    if (shuffled_between(0, 0)) return;
    // The shortest beginning that fails, then the shortest end of that: whether more always fails where less does is not
    // certain, so what is found need not be the shortest.
    std::uint64_t low = best_.shuffle_from;
    std::uint64_t high = std::min(best_.shuffle_to, last_.told.draws);
    while (low + 1 < high && runs_ < most_) {
      const std::uint64_t middle = low + (high - low) / 2;
      if (shuffled_between(best_.shuffle_from, middle))
        high = middle;
      else
        low = middle;
    }
    low = best_.shuffle_from;
    high = std::min(best_.shuffle_to, last_.told.draws);
    while (low + 1 < high && runs_ < most_) {
      const std::uint64_t middle = low + (high - low) / 2;
      if (shuffled_between(middle, best_.shuffle_to))
        low = middle;
      else
        high = middle;
    }
  }

  attempt& what_;
  const unsigned most_;
  options best_;
  run_outcome last_;
  std::string kind_;
  unsigned runs_ = 0;
};

// What has failed once: as small as it can be, if it does so again.
finding made_small(const options& o, const run_outcome& r, unsigned most_runs, attempt& what) {
  if (most_runs == 0) return {o, r.text, r.told};
  run_outcome again = try_once(what, o);
  if (again.kind.empty())
    return {o, r.text + "\nit does not fail again with the same seed: something is decided elsewhere", r.told};
  if (again.kind != r.kind)
    return {o,
            r.text + "\nwith the same seed it fails otherwise: " + again.text + "\nsomething is decided elsewhere",
            r.told};
  const bool differs = again.told.trace_hash != r.told.trace_hash;
  finding f = shrinker(o, std::move(again), most_runs, what).found();
  if (differs) f.what += "\ntwo runs of this seed differ: something in them is decided elsewhere";
  return f;
}

}  // namespace

options attempt::configure(std::uint64_t) { return {}; }

std::string attempt::kind_of_failure() const {
  try {
    throw;
  } catch (const std::system_error& e) {
    return fmt::format("{} {}", typeid(e).name(), e.code().value());
  } catch (const std::exception& e) {
    return typeid(e).name();
  } catch (...) {
    return "what is no std::exception";
  }
}

std::string attempt::text_of_failure() const {
  try {
    throw;
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "something that is no std::exception was thrown";
  }
}

run_outcome try_once(attempt& what, const options& o) {
  run_outcome result;
  try {
    what.run(o, result.told);
  } catch (...) {
    result.kind = what.kind_of_failure();
    result.text = what.text_of_failure();
  }
  return result;
}

finding shrink(const options& failing, unsigned most_runs, attempt& what) {
  run_outcome r = try_once(what, failing);
  if (r.kind.empty()) return {failing, "it does not fail with these options", r.told};
  return shrinker(failing, std::move(r), most_runs, what).found();
}

std::optional<finding> hunt(const hunt_options& how, attempt& what) {
  const std::uint64_t first = how.first_seed ? *how.first_seed : astd::random::next();
  driver::sim::random_stream seeds(first);
  for (std::uint64_t i = 0; i < how.seeds; ++i) {
    const std::uint64_t seed = i == 0 ? first : seeds.next();
    options o = how.configuration ? how.configuration(seed) : what.configure(seed);
    o.seed = seed;
    const run_outcome r = try_once(what, o);
    if (!r.kind.empty()) {
      finding f = made_small(o, r, how.shrink_runs, what);
      f.faults = r.told.faults;
      f.runs = i + 1;
      return f;
    }
    if (how.twice_every == 0 || i % how.twice_every != 0) continue;
    const run_outcome again = try_once(what, o);
    if (again.told.trace_hash == r.told.trace_hash) continue;
    finding f{o, "two runs of one seed differ: something in them is decided elsewhere", again.told};
    f.faults = r.told.faults;
    f.runs = i + 1;
    return f;
  }
  return std::nullopt;
}

}  // namespace detail

std::string to_string(const finding& f) {
  std::string text;
  const auto line = std::back_inserter(text);
  fmt::format_to(line, "failed: {}\nreplay with {}\n", f.what, to_environment(f.smallest));
  fmt::format_to(line, "{} fault{}", f.told.faults, f.told.faults == 1 ? "" : "s");
  if (f.faults > f.told.faults) fmt::format_to(line, ", of {} at first", f.faults);
  fmt::format_to(line, "{}\n", f.told.faults == 0 ? "" : ":");
  const std::string faults = to_string(f.told);
  for (std::size_t at = 0; at < faults.size();) {
    const std::size_t end = faults.find('\n', at);
    fmt::format_to(line, "  {}\n", faults.substr(at, end - at));
    at = end + 1;
  }
  return text;
}

}  // namespace astd::sim
