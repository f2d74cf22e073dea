# Copies the files that PATCH changes from SOURCES to PLACE and applies it there.
file(STRINGS ${PATCH} lines REGEX "^\\+\\+\\+ b/")
foreach(line ${lines})
  string(REGEX REPLACE "^\\+\\+\\+ b/" "" file ${line})
  get_filename_component(folder ${PLACE}/${file} DIRECTORY)
  file(MAKE_DIRECTORY ${folder})
  file(COPY_FILE ${SOURCES}/${file} ${PLACE}/${file})
endforeach()
execute_process(
  COMMAND patch --strip=1 --no-backup-if-mismatch --reject-file=- --input=${PATCH}
  WORKING_DIRECTORY ${PLACE} RESULT_VARIABLE failed OUTPUT_VARIABLE said ERROR_VARIABLE said)
if(failed)
  foreach(line ${lines})
    string(REGEX REPLACE "^\\+\\+\\+ b/" "" file ${line})
    file(REMOVE ${PLACE}/${file})
  endforeach()
  cmake_path(RELATIVE_PATH PATCH BASE_DIRECTORY ${SOURCES})
  message(FATAL_ERROR
    "The planted defect ${PATCH} does not apply any more: the lines that it changes have changed. Write the same defect into "
    "the source as it is now and store the difference there; its first lines say what it is and which rule finds it.\n${said}")
endif()
