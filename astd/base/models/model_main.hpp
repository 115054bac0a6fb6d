// What the models of lock-free parts have in common: each is played in every interleaving with few preemptions and in
// many at random, and nothing may be found. Then each memory order that the code under test asks for is taken away, one
// at a time, and some model has to find it: one that does not has not shown that the order is needed.
//
//   ./NAME_model            the models
//   ./NAME_model --weaken   the models with each order weakened in turn
// Either may be followed by the number of random schedules, in thousands (100). Prints what was found and ends with 1 if
// that is not what is expected.
#pragma once

#include <astd/base/models/model_atomic.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <ostream>
#include <span>
#include <streambuf>
#include <string>
#include <string_view>
#include <vector>

namespace astd::models {

struct model {
  const char* name;
  bool (*run)(rl::test_params&);
  unsigned preemptions = 2;  // of the search that tries all
};

template <class Suite>
bool simulate(rl::test_params& p) {
  return rl::simulate<Suite>(p);
}

/// A weakening that the models cannot find: of an operation in the function whose name holds `function`. Each is listed
/// once, with the reason beside the list.
struct missed {
  std::string_view function;
  unsigned property;
};

inline const char* name_of(unsigned property) {
  return property == acquiring ? "acquire" : property == releasing ? "release" : "the total order";
}

// Where Relacy may write at any time: it takes part in all that is allocated, and a string's buffer would be.
class fixed_buffer : public std::streambuf {
 public:
  fixed_buffer() { setp(text_, text_ + sizeof text_); }  // the rest is dropped
  [[nodiscard]] std::string text() const { return std::string(pbase(), pptr()); }

 private:
  char text_[1 << 18];
};

// True if nothing was found. What Relacy says is kept.
inline bool passes(const model& m, rl::scheduler_type_e search, unsigned preemptions, unsigned long schedules,
                   unsigned long& ran, std::string& said) {
  beforehand = nullptr;  // of the model before
  const auto buffer = std::make_unique<fixed_buffer>();
  std::ostream out(buffer.get());
  rl::test_params params;
  params.search_type = search;
  params.context_bound = preemptions;  // these are all tried, whatever `schedules` says
  params.iteration_count = schedules;
  params.output_stream = params.progress_stream = &out;
  const bool good = m.run(params);
  ran = params.stop_iteration;
  said = buffer->text();
  return good;
}

inline int play(std::span<const model> models, unsigned long schedules) {
  int failures = 0;
  for (const model& m : models) {
    for (const rl::scheduler_type_e search : {rl::sched_bound, rl::sched_random}) {
      unsigned long ran = 0;
      std::string said;
      const bool good = passes(m, search, m.preemptions, schedules, ran, said);
      std::printf("%-28s %-24s %9lu schedules: %s\n", m.name, rl::format(search), ran, good ? "good" : "FAILED");
      if (!good) {
        std::printf("%s\n", said.c_str());
        ++failures;
      }
    }
  }
  return failures;
}

inline int weaken(std::span<const model> models, unsigned long schedules, std::span<const missed> not_found) {
  // Which operations there are.
  for (const model& m : models) {
    unsigned long ran = 0;
    std::string said;
    if (!passes(m, rl::sched_random, 0, schedules / 10 + 1, ran, said)) {
      std::printf("\"%s\" fails without having been weakened\n%s\n", m.name, said.c_str());
      return 1;
    }
  }
  std::vector<missed> left(not_found.begin(), not_found.end());
  int failures = 0;
  for (unsigned file = 0; file != files_under_test.size(); ++file) {
    for (const line_under_test& line : lines[file]) {
      for (const unsigned property : {acquiring, releasing, totally_ordered}) {
        if (!(line.asked_for & property)) continue;
        weak_line = &line;
        weakened_by = property;
        const std::string what = std::string(files_under_test[file] + 1) + ":" + std::to_string(line.where.line()) +
                                 " without " + name_of(property);
        bool noticed = false;
        // At random first: it is quicker to find most of them.
        for (const rl::scheduler_type_e search : {rl::sched_random, rl::sched_bound}) {
          for (const model& m : models) {
            unsigned long ran = 0;
            std::string said;
            if (noticed || passes(m, search, 1, schedules, ran, said)) continue;
            noticed = true;
            std::printf("%s: found by \"%s\" at schedule %lu\n", what.c_str(), m.name, ran);
          }
        }
        if (noticed) continue;
        const auto known = std::find_if(left.begin(), left.end(), [&](const missed& k) {
          return k.property == property &&
                 std::string_view(line.where.function_name()).find(k.function) != std::string_view::npos;
        });
        std::printf("%s: not found, %s\n", what.c_str(), known == left.end() ? "but it SHOULD BE" : "as expected");
        if (known == left.end())
          ++failures;
        else
          left.erase(known);
      }
    }
  }
  for (const missed& k : left) {
    std::printf("%.*s without %s: expected not to be found, but it was, or is gone\n",
                static_cast<int>(k.function.size()), k.function.data(), name_of(k.property));
    ++failures;
  }
  return failures;
}

inline int model_main(int argc, char** argv, std::span<const model> models, std::span<const char* const> files,
                      std::span<const missed> not_found) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  files_under_test = files;
  const bool weakened = argc > 1 && std::strcmp(argv[1], "--weaken") == 0;
  const char* const count = argc > 1 + weakened ? argv[1 + weakened] : "100";
  const unsigned long schedules = std::strtoul(count, nullptr, 10) * 1000;
  const int failures = weakened ? weaken(models, schedules, not_found) : play(models, schedules);
  std::printf("%d failed\n", failures);
  return failures != 0;
}

}  // namespace astd::models
