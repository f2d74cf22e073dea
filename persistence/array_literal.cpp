#include "persistence/array_literal.hpp"

namespace levain {

void array_literal::quoted(std::string_view value) {
  separate();
  text_ += '"';
  size_t copied = 0;
  for (size_t i = 0; i < value.size(); ++i) {
    if (value[i] != '"' && value[i] != '\\')
      continue;
    text_.append(value, copied, i - copied);
    text_ += '\\';
    copied = i;
  }
  text_.append(value, copied, value.size() - copied);
  text_ += '"';
}

} // namespace levain
